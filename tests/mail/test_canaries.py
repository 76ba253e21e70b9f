"""An address, a phrase, a token, the account of the server: nowhere in clear on disk, nowhere in the logs."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
import structlog
from starlette.testclient import TestClient

from bot import turn, worker
from bot.doers import doers
from bot.house import House
from bot.mail import desk
from bot.mail.letters import letter, letter_to
from bot.serve import configure_logs
from bot.web.app import create_app
from dialogue.events import Clicked
from tests.conftest import Clock
from tests.mail.conftest import PASSWORD, USER, Certificate, account, listening, mail_by, with_mail
from tests.mail.test_letters import link_in

ADDRESS = "Canari.Jaune@volière.example"
CANARIES = ["canari.jaune", "voli", USER, PASSWORD]


@pytest.mark.databases("sqlite", because="it reads the database's own files")
def test_nothing_of_who_is_written_to_is_kept_in_clear_or_logged(
    house: House,
    certificate: Certificate,
    clock: Clock,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets: list[str] = []

    async def work(house: House) -> None:
        while await worker.work_once(house, doers(house)):
            pass

    async def story() -> None:
        async with listening(certificate, auth_required=True) as box:
            on = with_mail(house, mail_by(box, certificate, **account()), public_url="https://autodiag.example")
            here, way = await turn.begin(on, door="web", incoming="n" * 24, first=Clicked("branche", "optique"))
            left = await desk.leave(on, here.conversation, ADDRESS, "192.0.2.77")
            assert left
            secrets.extend(left.phrase)
            await work(on)
            confirming, stop = (link_in(box.kept[0].get_content(), kind) for kind in ("confirmer", "e"))
            secrets.extend((confirming, stop, way))
            with TestClient(create_app(on), base_url="https://autodiag.example") as client:
                for path in (f"/confirmer/{confirming}", f"/e/{stop}", f"/m/{way}"):
                    client.get(path)
                same = {"origin": "https://autodiag.example"}
                client.post(f"/confirmer/{confirming}", data={"id": "n" * 24}, headers=same)
            values = {"minutes": 3, "last": 0, "visit": 0}
            for says, drops in (
                ({"rcpt": f"450 <{ADDRESS}> plus tard"}, ""),
                ({"rcpt": f"550 <canari.jaune@x> inconnu {PASSWORD}"}, ""),
                ({"mail": f"550 {USER}"}, ""),
                ({"data": "554 canari.jaune"}, ""),
                ({}, "data"),
                ({}, "rcpt"),
            ):
                box.says, box.drops = says, drops
                assert await on.store.db.submit(lambda tx: letter(on, tx, here.conversation, "unfinished", values))
                await on.store.db.submit(
                    lambda tx, n=f"{says}{drops}": letter_to(  # type: ignore[misc]
                        on, tx, "canari.jaune@xn--volire-7ua.example", "test", {}, purpose="consultants", dedup=n[:9]
                    )
                )
                await work(on)
                clock.forward(minutes=20)
            wrong = with_mail(on, on.settings.mail.model_copy(update={"user": account()["password"]}))
            await on.store.db.submit(lambda tx: letter(wrong, tx, here.conversation, "unfinished", values))
            await work(wrong)
        await work(on)
        assert PASSWORD not in repr(on.settings)

    configure_logs("debug")
    try:
        with caplog.at_level(logging.DEBUG):
            asyncio.run(asyncio.wait_for(story(), 30))
    finally:
        structlog.reset_defaults()  # the stream that it writes to closes with this test
    said = capfd.readouterr()
    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("mail.log", "asyncio", "httpx"))
    ]
    logged = "\n".join((said.out, said.err, *ours)).lower()
    assert "mail_sent" in logged
    assert "job_unknown" in logged
    assert len(secrets) > 6
    for canary in (*CANARIES, "192.0.2.77", *secrets):
        assert canary.lower() not in logged, canary
    house.store.db.scrub()
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for canary in (*CANARIES, "192.0.2.77", *secrets[4:]):
        assert canary.encode() not in kept, canary
