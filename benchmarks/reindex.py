"""CPU of a full build beside that of a re-index with one page changed.

    python benchmarks/reindex.py --pages 10000 --embedder hash
    python benchmarks/reindex.py --pages 500 --embedder e5

Writes generated Korean pages (about four passages each), indexes them in a process of its own, changes one page, and indexes again in
another one; then a third time with nothing changed. What counts is each process's CPU from its start to its end, model loading, Python's
own start and all. With `hash` a vector costs next to nothing, so the ratio is much harder than it is for anybody's installation: it
measures everything but the embedder. One line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

_WHO = (
    "인사팀 재무팀 구매팀 보안팀 총무팀 개발본부 영업본부 품질보증팀 법무팀 물류센터 연구소 고객지원팀 "
    "데이터팀 디자인실 감사실 교육팀"
).split()
_WHAT = (
    "연차 휴가,출장비,법인카드,노트북,사내 메신저,방문자 출입증,계약서,세금계산서,재고 조사,신규 입사자,회의실,"
    "보안 점검,백업,장애 보고,성과 평가,건강검진,주차권,택배,복지 포인트,교육 과정,소프트웨어 라이선스,"
    "개인정보,접근 권한,견적서,시험 장비,고객 문의,배포 일정,코드 검토"
).split(",")
_HOW = (
    "신청은 그룹웨어의 전자결재에서 합니다|승인은 팀장과 {who} 담당자가 차례로 합니다|"
    "처리에는 영업일 기준 {n}일이 걸립니다|한도는 한 번에 {m},000원입니다|"
    "기한을 {n}일 넘기면 사유서를 함께 올려야 합니다|담당자는 {who}이며 내선 {m}번입니다|"
    "양식은 문서함의 {what} 폴더에 있습니다|{what}와 겹치는 경우에는 먼저 접수된 것을 따릅니다|"
    "매월 {n}일까지 접수된 것만 그달에 처리합니다|예외는 {who} 책임자의 서면 동의가 있을 때만 인정합니다|"
    "관련 기록은 {n}년 동안 보관한 뒤 파기합니다|변경 사항은 사내 게시판 {m}번 글로 알립니다"
).split("|")


def write_pages(folder: Path, count: int, seed: int = 1) -> None:
    """`count` Markdown pages of four sections, about 2,000 characters each; the same ones for the same seed."""
    draw = random.Random(seed)
    for number in range(count):
        lines = [f"# {draw.choice(_WHO)} {draw.choice(_WHAT)} 안내 {number}", ""]
        for section in range(4):
            lines += [f"## {section + 1}. {draw.choice(_WHAT)} 절차", ""]
            for _ in range(2):
                lines += [" ".join(_sentence(draw) for _ in range(8)), ""]
        path = folder / f"{number // 100:03}" / f"{number:05}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")


def _sentence(draw: random.Random) -> str:
    body = draw.choice(_HOW).format(
        who=draw.choice(_WHO), what=draw.choice(_WHAT), n=draw.randint(1, 60), m=draw.randint(100, 9999)
    )
    return f"{draw.choice(_WHAT)}의 경우 {body}."


def index_once(wiki: Path, data: Path, embedder: str) -> dict[str, Any]:
    """One indexing run in this process."""
    from knowledge.build import BuildOptions, build
    from knowledge.edition import EditionShelf
    from knowledge.korean import Analyser
    from knowledge.page import Audience
    from knowledge.sources.folder import FolderSource
    from tests.fakes.hash_embedder import HashEmbedder

    shelf, cache = EditionShelf(data / "editions"), data / "cache" / "knowledge.sqlite"
    source = FolderSource("wiki", wiki, Audience.of(["everyone"]))
    if embedder == "hash":
        report = build([source], BuildOptions(shelf, cache, HashEmbedder.id), Analyser, HashEmbedder)
    else:
        from bot.app import Root

        root, cores = Root(), os.cpu_count() or 1
        options = BuildOptions(shelf, cache, root.wiki.embedder_id())
        report = build([source], options, lambda: Analyser(cores), lambda: root.wiki.make_embedder(cores))
    return {
        "pages": report.pages,
        "passages": report.passages,
        "changed": len(report.changed),
        "reused": report.reused,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Write, index, change, index, index; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--embedder", choices=["hash", "e5"], default="hash")
    parser.add_argument("--data-dir", type=Path, help="keep pages and index here; default: a temporary folder")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.once:
        print(json.dumps(index_once(wanted.data_dir / "wiki", wanted.data_dir / "data", wanted.embedder)))
        return
    with tempfile.TemporaryDirectory(prefix="saseo-reindex-") as made:
        folder = (wanted.data_dir or Path(made)).resolve()
        write_pages(folder / "wiki", wanted.pages)
        time.sleep(2.5)  # a file that was written just now is read again to be sure
        runs = {"full": _measured(folder, wanted.embedder)}
        page = folder / "wiki" / "000" / "00000.md"
        page.write_text(page.read_text(encoding="utf-8") + "\n추가: 이 문서는 오늘 바뀌었습니다.\n", encoding="utf-8")
        runs["one page changed"] = _measured(folder, wanted.embedder)
        time.sleep(2.5)
        _measured(folder, wanted.embedder)  # the changed page is old enough now to be told by its times
        runs["nothing changed"] = _measured(folder, wanted.embedder)
    full = runs["full"]["cpu_seconds"]
    result = {
        "benchmark": "reindex",
        "embedder": wanted.embedder,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "runs": runs,
        "ratios": {name: round(run["cpu_seconds"] / full, 5) for name, run in runs.items()},
    }
    print(json.dumps(result, ensure_ascii=False))
    print(
        "\n| run | pages | passages | CPU s | of the full build | clock s | peak MB |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for name, run in runs.items():
        ratio = f"{run['cpu_seconds'] / full:.2%}"
        columns = (name, run["pages"], run["passages"], f"{run['cpu_seconds']:.1f}", ratio, f"{run['seconds']:.1f}")
        print(f"| {' | '.join(map(str, columns))} | {run['peak_mb']} |")


def _measured(folder: Path, embedder: str) -> dict[str, Any]:
    command = [
        sys.executable,
        str(Path(__file__).resolve()),
        "--once",
        "--data-dir",
        str(folder),
        "--embedder",
        embedder,
    ]
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    run: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{run}: {spent:.1f} s of CPU", file=sys.stderr)
    return run | {"cpu_seconds": round(spent, 2), "seconds": round(time.perf_counter() - began, 2)}


if __name__ == "__main__":
    main()
