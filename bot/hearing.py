"""The model of typed French in a process that serves: found in its folder, or trained by a process apart.

Until it is there, or when it can't be made, the rules alone read, and nothing wrong is recorded. The file bears the
fingerprint of what it was trained on; another content, another file.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from bot.settings import ROOT
from dialogue.events import Event
from dialogue.flow import Flow
from dialogue.session import Session
from dialogue.understanding import model as models
from dialogue.understanding.reading import read
from referential import spoken

if TYPE_CHECKING:
    from referential.model import Questionnaire

PATIENCE: Final = 180
"""Seconds after which a training is given up."""
_LOOK: Final = 0.2
log = structlog.get_logger("understanding")


class Ear:
    """What reads typed French now: `model` changes once, when the trained one comes; `trouble`: why it has not."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._lists = spoken.lists()
        self.file = folder / f"{fingerprint[:24]}.npz"
        self.model = models.untrained(*self._lists)
        self.trouble = ""
        self._training: subprocess.Popen[bytes] | None = None

    @property
    def trained(self) -> bool:
        """Whether the trained model is there."""
        return bool(self.model.questions)

    def read(self, flow: Flow, session: Session, text: str) -> Event:
        """The event that a typed text means, where this session stands."""
        return read(self.model, flow, session, text)

    def look(self) -> bool:
        """Take the trained model if its file is there and whole."""
        if self.trained:
            return True
        try:
            self.model = models.load(self.file.read_bytes(), *self._lists)
        except FileNotFoundError:
            return False
        except Exception as error:  # noqa: BLE001 — whatever a damaged file raises: it is made again
            self.trouble = f"unreadable: {type(error).__name__}"
            self.file.unlink(missing_ok=True)
            return False
        return True

    def learn(self) -> bool:
        """Have the model trained by a process apart unless another is at it, and wait for it. Never raises."""
        try:
            return self.look() or self._learn()
        except OSError as error:
            self.trouble = f"not trained: {type(error).__name__}"
            return False

    def learn_meanwhile(self) -> None:
        """Learn in a thread of its own, and tell the log how it went: the rules serve until then."""
        if not self.trained:
            threading.Thread(target=self._learn_and_tell, name="learning", daemon=True).start()

    def _learn_and_tell(self) -> None:
        began = time.monotonic()
        if self.learn():
            log.info("model_trained", seconds=round(time.monotonic() - began, 1))
        else:
            log.warning("model_not_trained", reason=self.trouble)

    def leave(self) -> None:
        """Stop a training of ours that is under way."""
        if self._training and self._training.poll() is None:
            self._training.kill()

    def _learn(self) -> bool:
        began = time.monotonic()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        turn = self.file.with_suffix(".turn")
        while time.monotonic() - began < PATIENCE:
            if self.look():
                return True
            if _take(turn):
                break
            time.sleep(_LOOK)
        try:
            environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "bot.training", str(self.file)]
            self._training = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603
            code = self._training.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.leave()
            code = -1
        finally:
            turn.unlink(missing_ok=True)
        if code or not self.look():
            self.trouble = f"training ended with {code}"
            return False
        self._forget_others()
        return True

    def _forget_others(self) -> None:
        """Remove models of earlier contents, a week after they were made: another process may still start on one."""
        for other in self.file.parent.glob("*.npz"):
            if other != self.file and time.time() - other.stat().st_mtime > 7 * 86400:
                other.unlink(missing_ok=True)


def ear_for(folder: Path, questionnaire: Questionnaire) -> Ear:
    """An ear for this content, with its model if it was ever trained."""
    digest = hashlib.sha256(f"{models.FORMAT}/{questionnaire.fingerprint}/{spoken.fingerprint()}".encode())
    for source in sorted((ROOT / "dialogue" / "understanding").glob("*.py")):
        digest.update(source.read_bytes())
    ear = Ear(folder, digest.hexdigest())
    ear.look()
    return ear


def _take(turn: Path) -> bool:
    """Whether it is our turn to train: nobody else is at it, or they died at it."""
    try:
        os.close(os.open(turn, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if time.time() - turn.stat().st_mtime > PATIENCE:
            turn.unlink(missing_ok=True)
        return False
    return True
