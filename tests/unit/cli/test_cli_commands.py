"""The command line: development tokens for local use only, uploads that say how they ended, and the audit log checked."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from chassis.access.callers import Caller
from chassis.access.oidc import OidcTokens
from chassis.settings import Settings
from cli import audit as audit_command
from cli.__main__ import app
from deploy.local.layout import ROOT
from tests.unit.registration.audit.test_audit_chain import whole_log

run = CliRunner().invoke
Answer = Callable[[httpx2.Request], httpx2.Response]
DONE = {"import_id": "imp_1", "state": "done", "rows_total": 3, "rows_done": 3, "accepted": 2, "rejected": 1}


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's machine with an issuer's key of its own."""
    for name in ("JAKPRENEUR_ENV", "JAKPRENEUR_OIDC_ISSUER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JAKPRENEUR_DEVELOPMENT_ISSUER_KEY_FILE", str(tmp_path / "issuer.pem"))


async def test_a_token_for_a_developer() -> None:
    """The token that is printed is one that the services believe, with the roles asked for."""
    result = run(app, ["token", "--role", "officer", "--role", "verifier", "--subject", "rina"])
    assert result.exit_code == 0
    caller = await OidcTokens(Settings()).caller(result.stdout.strip())
    assert caller == Caller("user:rina", frozenset({"officer", "verifier"}))


async def test_a_token_for_a_citizen() -> None:
    """With their own id."""
    result = run(app, ["token", "--role", "citizen", "--jakpreneur-id", "jkp_siti"])
    assert (await OidcTokens(Settings()).caller(result.stdout.strip())).jakpreneur_id == "jkp_siti"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JAKPRENEUR_ENV", "staging"),
        ("JAKPRENEUR_ENV", "production"),
        ("JAKPRENEUR_OIDC_ISSUER", "https://issuer.example.com"),
    ],
)
def test_no_development_token_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str) -> None:
    """Where real people are served there is no such token: the command fails, prints none, and makes no key."""
    monkeypatch.setenv(name, value)
    result = run(app, ["token", "--role", "admin"])
    assert result.exit_code == 2
    assert "JAKPRENEUR_ENV=local" in result.stderr
    assert (result.stdout, list(tmp_path.iterdir())) == ("", [])


def test_a_token_needs_a_role() -> None:
    """Nobody gets a token for nothing in particular."""
    assert run(app, ["token"]).exit_code == 2


@pytest.fixture
def upload(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`upload(answer, *options)`: run the command against a service that answers like this."""
    file = tmp_path / "people.csv"
    file.write_bytes(b"nik,name\n")
    real = httpx2.Client

    def upload(answer: Answer, *options: str) -> Any:
        monkeypatch.setattr(httpx2, "Client", lambda **given: real(**given, transport=httpx2.MockTransport(answer)))
        return run(app, ["imports", "upload", str(file), *options])

    return upload


def service(state: dict[str, Any], asked: list[httpx2.Request]) -> Answer:
    """A registration service with one import in this state."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if request.method == "POST":
            assert request.read() == b"nik,name\n"
            return httpx2.Response(202, json={"import_id": "imp_1", "state": "queued", "repeated": False})
        if request.url.path == "/v1/imports/imp_1/errors.csv":
            return httpx2.Response(200, content=b"row,field,code\r\n2,nik,R1.length\r\n")
        assert request.url.path == "/v1/imports/imp_1"
        return httpx2.Response(200, json=state)

    return answer


def test_an_upload_that_went_well(upload: Callable[..., Any], tmp_path: Path) -> None:
    """Two of three rows are registrations now; the third is in the file of refused rows. That is a success."""
    asked: list[httpx2.Request] = []
    result = upload(service(DONE, asked), "--token", "secret", "--errors", str(tmp_path / "errors.csv"))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "done: 2 diterima, 1 ditolak dari 3 baris")
    assert (tmp_path / "errors.csv").read_bytes() == b"row,field,code\r\n2,nik,R1.length\r\n"
    assert {request.headers["authorization"] for request in asked} == {"Bearer secret"}
    assert asked[0].headers["content-type"] == "text/csv"


def test_an_import_that_failed(upload: Callable[..., Any]) -> None:
    """The file was accepted and then couldn't be imported: a script that runs the command must notice."""
    assert upload(service({**DONE, "state": "failed"}, [])).exit_code == 1


def problem(status: int, **body: Any) -> Answer:
    """A service that refuses."""
    kind = {"content-type": "application/problem+json"}
    return lambda _: httpx2.Response(status, json={"detail": "Data belum benar.", "errors": [], **body}, headers=kind)


def test_a_file_that_is_refused(upload: Callable[..., Any]) -> None:
    """Every column that is wrong is named, in Indonesian."""
    errors = [{"field": f"header.{name}", "message_id": f"Kolom tidak dikenal: {name}."} for name in ("hobi", "zodiak")]
    result = upload(problem(422, errors=errors))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Data belum benar.",
        "header.hobi: Kolom tidak dikenal: hobi.",
        "header.zodiak: Kolom tidak dikenal: zodiak.",
    ]


def test_a_refusal_without_fields_has_a_reason_too(upload: Callable[..., Any]) -> None:
    """A token that has expired, a file that is too large: the user isn't left with silence."""
    result = upload(problem(401, detail="Token tidak berlaku."))
    assert (result.exit_code, result.stdout) == (1, "Token tidak berlaku.\n")


def test_something_else_answers(upload: Callable[..., Any]) -> None:
    """A proxy's error page is no problem document: the status is told, not a traceback."""
    result = upload(lambda _: httpx2.Response(502, html="<h1>Bad Gateway</h1>"))
    assert (result.exit_code, result.stdout) == (1, "HTTP 502\n")


def test_a_file_that_is_not_there() -> None:
    """Said before anything is sent."""
    assert run(app, ["imports", "upload", "nowhere.csv"]).exit_code == 2


def test_a_sound_audit_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 0 and how many entries there are."""
    monkeypatch.setattr(audit_command, "with_database", lambda *_: whole_log(3))
    result = run(app, ["audit", "verify"])
    assert (result.exit_code, result.stdout) == (0, "3 entries, all sound\n")


def test_an_audit_log_that_was_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last entry is gone: exit code 1, and which one it is that isn't there."""
    entries, heads = whole_log(3)
    monkeypatch.setattr(audit_command, "with_database", lambda *_: (entries[:2], heads))
    result = run(app, ["audit", "verify"])
    assert result.exit_code == 1
    assert result.stdout.startswith(f"entry {entries[2]['_id']} does not hold")


@pytest.mark.parametrize("command", [["dead-letters", "list"], ["dead-letters", "redrive"], ["positions", "list"]])
def test_operators_name_one_of_the_three_services(command: list[str]) -> None:
    """A service that doesn't exist is refused before any database is opened."""
    assert run(app, [*command, "payments"]).exit_code == 2


def test_every_noun_explains_itself() -> None:
    """`--help` works for each, with the verbs that the runbook names."""
    for noun, verbs in {
        "imports": ["upload"],
        "dead-letters": ["list", "show", "redrive", "discard", "history"],
        "positions": ["list", "move"],
        "audit": ["verify"],
    }.items():
        result = run(app, [noun, "--help"])
        assert result.exit_code == 0
        assert all(verb in result.stdout for verb in verbs)


def test_it_is_called_by_its_name() -> None:
    """In its own help, with its version, which is the platform's."""
    assert "Usage: jakpreneur [OPTIONS]" in run(app, ["--help"], prog_name="jakpreneur").stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert run(app, ["--version"]).stdout == f"jakpreneur {project['version']}\n"


@pytest.mark.parametrize("arguments", [["--role", "oficer"], ["--role", "officer", "--dinas", "Sosail"], []])
def test_a_role_or_dinas_that_is_none(arguments: list[str]) -> None:
    """A token with a mistyped role would be refused everywhere, and nobody would know why: the choices are named instead."""
    result = run(app, ["token", *arguments], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert not arguments or "'verifier'" in result.output or "'Sosial'" in result.output


@pytest.mark.parametrize("reason", ["x", "NIK 3171014512909001 salah", "\u200b\u200b\u200b\u200b\u200b\u200b"])
def test_a_reason_is_one(reason: str) -> None:
    """What is kept for ever is refused before any database is opened, if it says nothing or names somebody."""
    assert run(app, ["dead-letters", "discard", "metrics", "ltr_a", "--reason", reason]).exit_code == 2
    place = ["positions", "move", "metrics", "ledger", "topic", "0", "--to", "end"]
    assert run(app, [*place, "--reason", reason]).exit_code == 2
