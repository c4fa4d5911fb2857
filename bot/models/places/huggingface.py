"""Files of a Hugging Face repository, over HTTPS.

Honours HF_ENDPOINT (a mirror inside the company), HF_TOKEN (gated models) and HF_HUB_OFFLINE=1, and the proxy variables.
Certificates come from the system's store, where companies put their own, or from REQUESTS_CA_BUNDLE / SSL_CERT_FILE.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from bot.models.catalogue import HuggingFacePlace
from bot.models.hashing import sha256_of
from bot.models.places.download import Download
from bot.models.places.job import Job, PlaceFailed
from bot.models.sentence_folder import write_sentence_folder

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS = 5.0  # an air-gapped machine falls through to the next place quickly
_READ_SECONDS = 60.0


class HuggingFaceFetcher:
    """One file, or the named files of a folder model."""

    def __init__(
        self,
        place: HuggingFacePlace,
        environment: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._place = place
        self._environment = os.environ if environment is None else environment
        self._sleep = sleep

    def fetch(self, job: Job) -> Path:
        """See `Fetcher`."""
        if self._environment.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "true", "yes"}:
            raise PlaceFailed("huggingface: skipped, HF_HUB_OFFLINE is set")
        endpoint = self._endpoint()
        with self._client() as client:
            if self._place.file:
                return self._file(client, endpoint, self._place.file, job.work / "model", job, before=0)
            return self._folder(client, endpoint, job)

    def _folder(self, client: httpx.Client, endpoint: str, job: Job) -> Path:
        folder = job.work / "folder"
        done = 0
        for name in self._place.files:
            target = folder / name
            if not target.is_file():  # one that arrived whole before an interruption is kept
                self._file(client, endpoint, name, target, job, before=done)
            done += target.stat().st_size
        write_sentence_folder(folder, job.model)
        return folder

    def _file(self, client: httpx.Client, endpoint: str, name: str, target: Path, job: Job, before: int) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        url = f"{endpoint}/{self._place.repo}/resolve/{quote(self._place.revision, safe='')}/{quote(name)}"
        token = self._environment.get("HF_TOKEN", "").strip()

        def advance(done: int, total: int | None) -> None:
            whole = total if self._place.file else job.model.bytes
            job.progress("download", before + done, whole)

        download = Download(
            client=client,
            url=url,
            target=target,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            limit=job.limit,
            need=job.need,
            advance=advance,
            sleep=self._sleep,
        )
        try:
            sha256 = download.run()
        except PlaceFailed as failure:
            raise PlaceFailed(f"{self._place}: {name}: {failure}{self._advice(str(failure))}") from failure
        # The catalogue's own SHA-256 is checked by the store. Where it has none, at least the transfer is checked.
        if sha256 and not job.exact and sha256_of(target) != sha256:
            target.unlink()
            raise PlaceFailed(f"{self._place}: {name}: differs from the SHA-256 the server announced")
        return target

    def _advice(self, reason: str) -> str:
        if reason.endswith(("HTTP 401", "HTTP 403")):
            return f" (accept the licence at https://huggingface.co/{self._place.repo} and set HF_TOKEN)"
        return ""

    def _endpoint(self) -> str:
        endpoint = (self._environment.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}):
            raise PlaceFailed(f"huggingface: HF_ENDPOINT must be https: {parts.scheme}://{parts.hostname}")
        return endpoint

    def _client(self) -> httpx.Client:
        import httpx

        bundle = self._environment.get("REQUESTS_CA_BUNDLE") or None
        try:
            context = ssl.create_default_context(cafile=bundle)
        except OSError as error:
            raise PlaceFailed(f"huggingface: REQUESTS_CA_BUNDLE: {error}") from error
        timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
        return httpx.Client(verify=context, timeout=timeout, follow_redirects=False, headers={"User-Agent": "saseo"})
