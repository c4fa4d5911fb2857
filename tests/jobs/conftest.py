"""The store on both databases, for what jobs write."""

from tests.bot.store.conftest import postgres_url as postgres_url
from tests.bot.store.conftest import store as store
from tests.bot.store.conftest import url as url
