"""What must be there before anything starts: secrets, database, demo data, the brain's lexicon, its model."""

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from sqlalchemy import func, select

from cli.processes import BOT_PYTHON, MODEL, QUIET_BRAIN, ROOT
from core import clock, db, migrate, settings
from crm.catalogue.models import Product
from crm.customers.models import Customer

LEXICON = ROOT / "bot" / "lexicon" / "products.yml"
DEMO_PASSWORD = "zhike-demo"  # noqa: S105 – printed for everyone who tries the demo; demo mode only


def everything() -> None:
    """All steps; each does nothing when there is nothing to do."""
    migrate.upgrade()
    if settings.load().demo:
        for line in load_demo():
            print(line, flush=True)
    export_lexicon()
    train()


def load_demo() -> Iterator[str]:
    """Demo data into an empty database, shipped articles where they are new or changed."""
    from crm.demo import generate
    from helpdesk import demo as desk_demo
    from helpdesk.staff.usecases import hash_password
    from knowledge_base import usecases as knowledge

    now = clock.now()
    with db.writing() as session:
        empty = not session.scalar(select(func.count()).select_from(Customer))
        if empty:
            generate.load(session, now=now)
            desk_demo.load(session, now=now, hash_password=hash_password, password=DEMO_PASSWORD)
            db.count_on(session)
            yield "setup: demo data loaded"
        articles = knowledge.load_shipped(session)
        if articles.added or articles.updated:
            yield f"setup: {articles.added} knowledge-base articles loaded, {articles.updated} renewed"


def export_lexicon() -> None:
    """Writes the catalogue's words for the brain, which reads no database."""
    with db.reading() as session:
        products = session.scalars(select(Product).order_by(Product.sku)).all()
    if not products:
        return
    kinds = {p.kind for p in products}
    words: dict[str, dict[str, list[str]]] = {"product": {kind: [] for kind in sorted(kinds)}, "brand": {}}
    for product in products:
        short = product.name.split(" ", 1)[-1]
        surfaces = dict.fromkeys([product.name, short, *(a for a in product.aliases if a not in kinds)])
        words["product"][product.sku] = list(surfaces)
        words["brand"].setdefault(product.brand, [])
    text = "# Made from the catalogue by `zhike setup`; do not edit.\n" + yaml.safe_dump(
        words, allow_unicode=True, sort_keys=False
    )
    if not LEXICON.exists() or LEXICON.read_text(encoding="utf-8") != text:
        LEXICON.write_text(text, encoding="utf-8")


def training_hash() -> str:
    """A hash of all the model is made of."""
    digest = hashlib.sha256()
    sources = [ROOT / "config.yml", ROOT / "requirements" / "bot.txt"]
    for folder in ("data", "bot/domain", "bot/nlu", "bot/lexicon"):
        sources += sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in {".yml", ".py", ".txt"})
    for path in sources:
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def train() -> None:
    """Trains the model when its data or pipeline changed. Raises RuntimeError with the reason."""
    stamp = MODEL.with_suffix(".hash")
    wanted = training_hash()
    if MODEL.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    begun = time.monotonic()
    print("setup: training the model (one to three minutes) …", flush=True)
    MODEL.parent.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    log = MODEL.parent / "training.log"
    command = [
        str(BOT_PYTHON),
        "-m",
        "rasa",
        "train",
        "--domain",
        "bot/domain",
        "--data",
        "data",
        "--config",
        "config.yml",
    ]
    command += ["--out", str(MODEL.parent), "--fixed-model-name", MODEL.name.removesuffix(".tar.gz")]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **QUIET_BRAIN}, stdout=out, stderr=out)
        _watch(process, log, begun)
    if process.returncode or not MODEL.exists():
        last = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise RuntimeError(f"training failed; the last lines of models/training.log:\n{last}")
    stamp.write_text(wanted)
    print(f"setup: model trained ({time.monotonic() - begun:.0f} s)", flush=True)


def _watch(process: "subprocess.Popen[bytes]", log: Path, begun: float) -> None:
    """Prints what is being trained while it is."""
    said = 0
    while True:
        try:
            process.wait(timeout=5)
            return
        except subprocess.TimeoutExpired:
            steps = [line for line in log.read_text(errors="replace").splitlines() if "Starting to train" in line]
            for line in steps[said:]:
                print(
                    f"setup:   {line.split('component ')[-1].strip(chr(39) + '.')} ({time.monotonic() - begun:.0f} s)",
                    flush=True,
                )
            said = len(steps)
