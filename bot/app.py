"""The composition root: the only file that knows every room. Turns settings into parts and hands them to commands.

Nothing imports this but the launcher (saseo.py). Heavy imports stand inside the functions that need them, so that
`saseo --help` answers at once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bot import logs, texts
from bot.commands.accounts import accounts
from bot.commands.ask import ask
from bot.commands.audit import audit
from bot.commands.backup import backup, restore
from bot.commands.chat import chat
from bot.commands.doctor import doctor
from bot.commands.editions import editions
from bot.commands.evaluate import evaluate
from bot.commands.feedback import feedback
from bot.commands.gaps import gaps
from bot.commands.index import index
from bot.commands.init import init
from bot.commands.jobs import jobs
from bot.commands.loras import loras
from bot.commands.models import models
from bot.commands.output import failure
from bot.commands.privacy import privacy
from bot.commands.search import search
from bot.commands.search_weights import search_weights
from bot.commands.serve import discord_sync, serve
from bot.commands.tools import Check, Tools
from bot.commands.tune import tune
from knowledge.errors import ExplainedError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.answer_app import AnswerParts
    from bot.backup_app import Backups
    from bot.examples.workbench import Workbench
    from bot.jobs_app import Workshop
    from bot.lora_app import LoraParts
    from bot.models.catalogue import Catalogue
    from bot.models.hashing import Progress
    from bot.models.store import ModelStore
    from bot.privacy.rights import Rights
    from bot.releases.releases import Releases
    from bot.settings import Settings
    from bot.store.database import Store
    from bot.telemetry.observer import Observer
    from bot.telemetry.telemetry import Telemetry
    from bot.wiki_app import WikiParts
    from jobs.job import JobParts
    from knowledge.search import SearchIndex


class Root:
    """Makes each part once, when first asked for. `config`: the file of `--config`."""

    def __init__(self, config: Path | None = None) -> None:
        self.config = config
        self.telemetry: Telemetry | None = None
        """Of a running service."""
        self.language: texts.Language = "en" if os.environ.get("SASEO_LANGUAGE") == "en" else "ko"
        """Of what is said to the person, also while the settings cannot be read."""

    @cached_property
    def settings(self) -> Settings:
        """Also sets up logging and the language, since both are settings."""
        from bot.settings_file import load_settings

        settings = load_settings(self.config)
        self.language = settings.language
        logs.configure(settings.log_level)
        return settings

    def tools(self) -> Tools:
        """What the commands get."""
        return Tools(
            settings=lambda: self.settings,
            reindex=self.wiki.reindex,
            shelf=lambda: self.wiki.shelf,
            made_with=lambda: (self.wiki.analyser_id(), self.wiki.embedder_id()),
            open_index=self.wiki.open_index,
            answering=self.answers.ready,
            models=lambda: (self.catalogue, self.store),
            chat=self.chat,
            evaluate=self.evaluate,
            open_store=self.open_store,
            rights=self.rights,
            backups=lambda: self.backups,
            workbench=self.workbench,
            releases=self.releases,
            export_lora=self.export_lora,
            import_lora=self.import_lora,
            verdicts=self.verdicts,
            watch_tuning=self.watch_tuning,
            jobs=self.jobs,
            doctor=self.doctor,
            serve=self.serve,
            discord_sync=self.discord_sync,
            learn_weights=self.wiki.learn_weights,
        )

    @cached_property
    def catalogue(self) -> Catalogue:
        """The shipped models and the person's own."""
        from bot.models.catalogue import Catalogue

        return Catalogue.load(self.settings.catalogue)

    @cached_property
    def store(self) -> ModelStore:
        """The model cache."""
        from bot.models.store import ModelStore, default_root

        return ModelStore(self.settings.models_dir or default_root(), self.catalogue)

    @cached_property
    def wiki(self) -> WikiParts:
        """Sources, editions, search."""
        from bot.wiki_app import WikiParts

        return WikiParts(lambda: self.settings, lambda: self.store, self.warn)

    @cached_property
    def answers(self) -> AnswerParts:
        """What answers questions."""
        from bot.answer_app import AnswerParts

        return AnswerParts(self)

    @cached_property
    def loras(self) -> LoraParts:
        """Which LoRA answers."""
        from bot.lora_app import LoraParts

        return LoraParts(self.settings, lambda: self.base_sha256, self.warn)

    def releases(self) -> AbstractContextManager[Releases]:
        """Decisions about what answers."""
        return self.loras.releases()

    def export_lora(self, name: str, kind: str, out: Path, progress: Progress) -> dict[str, object]:
        """Write a LoRA of the shelf for other runtimes, from its own base, whichever is configured."""
        from bot.loras.shelf import CARD, GGUF, LoraShelf
        from jobs.export.export import LoraSource, export

        shelf = LoraShelf(self.settings.data_dir / "loras")
        wanted = shelf.card(name).base_sha256
        known = [one.path for one in self.store.states() if one.present and one.sha256 == wanted]
        base = known[0] if known else self.store.path(self.settings.writer.model, role="writer")
        found = shelf.get(name, wanted if known else self.base_sha256)
        source = LoraSource(name, found.folder / GGUF, base, found.base_name, found.folder / CARD)
        return export(source, kind, out, progress).as_json()

    def import_lora(self, folder: Path) -> str:
        """Put a LoRA that PEFT wrote for the configured base on the shelf; its name."""
        return self.loras.take_in(folder, self.store.path(self.settings.writer.model, role="writer"))

    @cached_property
    def base_sha256(self) -> str:
        """Of the served GGUF. Raises ModelError."""
        return self.store.sha256(self.settings.writer.model)

    @contextmanager
    def open_store(self, observer: Observer | None = None) -> Iterator[Store]:
        """The store, for as long as a command needs it. Raises StoreError."""
        from bot.store.database import open_store

        store = open_store(self.settings.store.url, self.settings.data_dir, observer=observer)
        try:
            yield store
        finally:
            store.close()

    async def serve(self) -> None:
        """Slack and Discord, the console and the jobs, until a signal."""
        from bot import web_app
        from bot.jobs_app import job_names, job_service, reindexing
        from bot.reindexing import follow
        from bot.serve_app import check_enabled, make_telemetry, serve

        settings = self.settings
        check_enabled(settings)  # say "nothing to serve" before a minute of loading
        telemetry = self.telemetry = make_telemetry(settings, self.wiki)
        with self.open_store(telemetry.observer) as store:
            telemetry.standing.store = store
            parts = self.job_parts(store)
            telemetry.know_jobs(job_names(parts))
            beside = job_service(parts, self.config, telemetry.observer)
            reindex = reindexing(parts)
            async with telemetry.serving(self.warn, settings.language), self.answers.ready(store=store) as flow:
                telemetry.standing.live = flow.live
                following = asyncio.create_task(
                    follow(self.wiki.shelf.current, lambda: flow.live().index.name, lambda: self.answers.reopen(flow))
                )
                try:
                    await serve(
                        settings,
                        store,
                        flow,
                        reindex=reindex,
                        say=lambda text: click.echo(text, err=True),
                        warn=self.warn,
                        beside=(beside,) if beside else (),
                        telemetry=telemetry,
                        console=(lambda desk: web_app.opened(self, store, flow, desk))
                        if settings.web.enabled
                        else None,
                    )
                finally:
                    following.cancel()
                    reindex.close()

    async def discord_sync(self) -> int:
        """Register the commands with Discord now; how many there are."""
        from bot.serve_app import discord_sync

        return await discord_sync(self.settings)

    async def chat(self, groups: frozenset[str]) -> None:
        """The terminal conversation of a person who is in `groups`."""
        from adapters.terminal.screen import Screen
        from bot.serve_app import chat

        settings = self.settings
        self.wiki.shelf.current()  # say "no index" before opening or loading anything
        screen = Screen(sys.stdout, transient=sys.stdin.isatty() and sys.stdout.isatty())
        with self.open_store() as store:
            async with self.answers.ready(store=store) as flow:
                await chat(settings, store, flow, groups, screen)

    def evaluate(
        self, path: Path, *, retrieval: bool, lora: str, details: Path | None, progress: Callable[[int, int], None]
    ) -> dict[str, object]:
        """Measure a set of questions: the search alone, or whole answers through the serving stack with one LoRA."""
        from jobs.evaluate import evaluate_answers, evaluate_retrieval
        from jobs.evaluation_set import load_set

        cases = load_set(path)
        if retrieval:
            return evaluate_retrieval(cases, self.wiki.open_index(None), progress, details=details).as_json()

        async def run() -> dict[str, object]:
            async with self.answers.ready(lora) as flow:
                flow.swap(replace(flow.live(), canary=None))  # one LoRA is measured, not two
                report = await evaluate_answers(cases, flow, flow.readable, progress, details=details)
            return report.as_json()

        return asyncio.run(run())

    @contextmanager
    def workbench(self, index: SearchIndex | None = None, *, wiki_needed: bool = True) -> Iterator[Workbench]:
        """Examples over this store and the serving edition, or `index`; personal data is masked on the way in.

        `wiki_needed` False: without an edition it knows no page, as on a machine that only trains.
        """
        from bot.learning_app import bench
        from knowledge.errors import NoEdition

        try:
            edition = index.edition if index else self.wiki.shelf.open()  # says "no index" before the store is made
        except NoEdition:
            if wiki_needed:
                raise
            edition = None
        with self.open_store() as store:
            yield bench(self, store, edition, index.analyser if index else self.wiki.make_analyser())

    @contextmanager
    def rights(self) -> Iterator[Rights]:
        """People's rights over what is kept of them."""
        from bot.serve_app import rights_over

        with self.open_store() as store:
            yield rights_over(self.settings, store, self.releases)

    @cached_property
    def backups(self) -> Backups:
        """Backups, and the way back."""
        from bot.backup_app import Backups

        return Backups(self)

    def back_up(self, store: Store, told: Callable[[str, int, int | None], None]) -> Mapping[str, object]:
        """What the job `backup` does."""
        return self.backups.nightly(store, told)

    def job_parts(self, store: Store) -> JobParts:
        """What jobs are made of."""
        from bot.gaps_app import gap_parts
        from bot.learning_app import learning_parts
        from jobs.job import JobParts

        return JobParts(
            settings=self.settings,
            store=store,
            reindex=self.wiki.reindex,
            workbench=self.workbench,
            learning=lambda: learning_parts(self),
            rights=self.rights,
            backup=self.back_up,
            gaps=lambda: gap_parts(self),
        )

    def verdicts(self, evaluations: Sequence[str]) -> list[RenderableType]:
        """The gate's tables for people."""
        from bot.learning_app import tables

        with self.releases() as releases:
            return tables(releases, evaluations, self.settings.language)

    def watch_tuning(self) -> AbstractContextManager[Callable[[Mapping[str, Any]], None]]:
        """What a person sees of a tuning run that they wait for."""
        from bot.learning_app import watched_tuning

        return watched_tuning(self.settings.language)

    @contextmanager
    def jobs(self) -> Iterator[Workshop]:
        """What `saseo jobs` and a worker process use."""
        from bot.jobs_app import Workshop

        with self.open_store() as store:
            yield Workshop(self.job_parts(store))

    def doctor(self) -> Iterator[Check]:
        """Every check of `saseo doctor`, one after the other."""
        from bot.checks import Parts, checks
        from bot.host_checks import Host
        from bot.serve_app import checks as serve_checks
        from bot.serve_app import from_store, privacy_check
        from bot.store import standing, web_accounts

        yield from checks(
            Parts(
                settings=self.settings,
                host=Host(
                    settings=self.settings,
                    models=self.store.root,
                    writer_bytes=lambda: self.store.bytes_of(self.settings.writer.model),
                    config=self.config or Path("config.toml"),
                    backups=self.backups.folder if self.settings.jobs.backup.enabled else None,
                    began=lambda: from_store(self.settings, standing.began, None),
                    accounts=lambda: from_store(self.settings, web_accounts.count, 0),
                ),
                store=self.store,
                shelf=self.wiki.shelf,
                sources=lambda: self.wiki.sources(glance=True),
                make_analyser=self.wiki.make_analyser,
                make_embedder=lambda: self.wiki.make_embedder(1),
                embedder_id=self.wiki.embedder_id,
                make_engine=lambda: self.answers.make_engine(
                    self.store.path(self.settings.writer.model, role="writer")
                ),
                choose_lora=self.loras.now,
                analyser_id=self.wiki.analyser_id,
            )
        )
        yield from serve_checks(self.settings)
        yield privacy_check(self.settings)

    def warn(self, text: str) -> None:
        """A word to the person at the terminal."""
        click.secho(text, err=True, fg="yellow" if sys.stderr.isatty() else None)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    envvar="SASEO_CONFIG",
    type=click.Path(path_type=Path),
    help="설정 파일. 없으면 ./config.toml, 그것도 없으면 기본값을 씁니다.",
)
@click.version_option(package_name="saseo", prog_name="saseo")
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """사서(Saseo): 회사 위키에서 근거를 찾아 한국어로 답합니다."""
    root = context.ensure_object(Root)
    root.config = config
    context.obj = root.tools()


for verb in (
    accounts,
    ask,
    backup,
    audit,
    chat,
    discord_sync,
    doctor,
    editions,
    evaluate,
    feedback,
    gaps,
    index,
    init,
    jobs,
    loras,
    models,
    privacy,
    restore,
    search,
    search_weights,
    serve,
    tune,
):
    cli.add_command(verb)


def main() -> NoReturn:
    """Run the command line; every known error becomes one sentence and exit code 1."""
    # LangChain would send questions and pages to its makers' service if the shell of a developer says so.
    for variable in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"):
        os.environ[variable] = "false"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    json_wanted = "--json" in sys.argv
    root = Root()
    try:
        # Without standalone mode click returns the code of an Exit instead of raising it.
        code = cli.main(standalone_mode=False, obj=root) or 0
    except click.Abort as abort:  # click makes one of Ctrl-C, too
        told = texts.interrupted if isinstance(abort.__cause__, KeyboardInterrupt) else texts.unconfirmed
        click.echo("\n" + told(root.language), err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except ExplainedError as error:
        failure(error, root.language, json_wanted=json_wanted)
        code = 1
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except KeyboardInterrupt:
        click.echo("\n" + texts.interrupted(root.language), err=True)
        code = 130
    sys.exit(code)
