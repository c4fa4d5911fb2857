"""`saseo serve` as its own process: health from its first second to its end, and counts of the questions that it answered."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from benchmarks.service_run import Service, configure, index
from tests.bot.telemetry.conftest import Scrape, get
from tests.fakes.slack import SlackServer
from tests.fakes.tiny_gguf import write_tiny_qwen2

pytestmark = [pytest.mark.model, pytest.mark.slow]


async def test_health_and_counts_of_a_real_process(tmp_path: Path) -> None:
    write_tiny_qwen2(tmp_path / "tiny.gguf")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    async with SlackServer() as slack:
        slack.channel("C1")
        config, environment = configure(tmp_path, str(tmp_path / "tiny.gguf"), slack, None, [])
        config.write_text(
            config.read_text(encoding="utf-8") + f"[metrics]\nport = {port}\n[web]\nenabled = false\n", encoding="utf-8"
        )
        service = Service(config, environment, tmp_path / "serve.log")
        await index(service)
        await service.start()
        try:
            early = await _first_word(address)
            assert early.status_code == 503  # the model is still being read
            assert "edition_loading" in early.json()["reasons"]
            await slack.wait_connected(2, timeout=180)
            async with asyncio.timeout(240):
                while (ready := await get(address, "/readyz")).status_code != 200:
                    await asyncio.sleep(0.2)
            assert ready.json()["checks"]["slack"] == "ok"
            sent = await slack.user("U1").mention("C1", "연차는 며칠인가요?")
            await slack.wait_for(lambda: bool(slack.final_answers("C1", sent.ts)), timeout=400)
            async with asyncio.timeout(240):
                while (seen := Scrape((await get(address, "/metrics")).text)).value("saseo_questions_total") < 1:
                    await asyncio.sleep(0.2)
            assert seen.value("saseo_questions_total", platform="slack") == 1
            assert seen.value("saseo_model_loaded") == 1
            assert seen.value("saseo_platform_connected", platform="slack") == 1
            assert seen.value("saseo_writing_seconds_count", part="reading") >= 1
            assert seen.value("saseo_event_loop_lateness_seconds_count") > 10
            assert seen.labels("saseo_job_runs", "name") >= {"examples", "reindex", "retention"}
        finally:
            assert await service.stop() == 0
    with pytest.raises(httpx.ConnectError):
        await get(address, "/healthz")


async def _first_word(address: str) -> httpx.Response:
    """As soon as the port is open."""
    async with asyncio.timeout(400):
        while True:
            try:
                return await get(address, "/readyz")
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
