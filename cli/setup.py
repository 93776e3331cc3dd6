"""What must be there before anything starts: secrets, database, demo data, the brain's lexicon, its model."""

from collections.abc import Iterator

import yaml
from sqlalchemy import func, select

from cli import training
from cli.processes import ROOT
from core import clock, db, migrate, settings
from crm.catalogue.models import Product
from crm.customers.models import Customer

LEXICON = ROOT / "bot" / "lexicon" / "products.yml"
DEMO_PASSWORD = "zhike-demo"  # noqa: S105 – printed for everyone who tries the demo; demo mode only


def everything(*, words_later: bool = False) -> None:
    """All steps; each does nothing when there is nothing to do. ``words_later``: a model that only lacks the newest
    phrases will do for the moment (cli/up.py trains beside the running system)."""
    migrate.upgrade()
    if settings.load().demo:
        for line in load_demo():
            print(line, flush=True)
    export_lexicon()
    if not (words_later and training.serves()):
        training.if_changed()


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
