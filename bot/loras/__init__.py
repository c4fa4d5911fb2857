"""LoRAs as files: written for llama.cpp, and checked before llama.cpp sees them. Attaching one is `bot.writers.llamacpp`'s.

architectures.py    which layers a LoRA may change, and how llama.cpp orders their rows
base_weights.py     what a LoRA must fit
check.py            is this file a LoRA for this base?
foreign.py          a LoRA made elsewhere, as the shelf takes it in
gguf_reader.py      file → plain arrays
gguf_tensors.py     the numbers of any GGUF, dequantised a few rows at a time
gguf_writer.py      plain arrays → file
peft_reader.py      PEFT's folder → plain arrays
shelf.py            the LoRAs on disk
"""
