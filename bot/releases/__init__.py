"""What answers: LoRAs are promoted, tried on a part of the conversations, rolled back, and watched. The truth is `releases` in the store.

choosing.py      setting, newest release and shelf → the LoRA that answers, and why
following.py     the running service takes over what was released elsewhere
overview.py      what there is, for lists and pages
past.py          what answered before, for going back
releases.py      every decision: promote, roll back, mark, delete
significance.py  is a difference of two rates more than chance?
watch.py         do people like it less than what answered before?
"""
