"""A label whose panel its template has no room on is not paired: the person still stands there.

The picture is drawn as the label will get it, within the transaction that pairs it; where it does
not fit, nothing is stored, and the answer names the panels that would do.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy import Connection

from api.house import House
from esl.domain.errors import InvalidInput, LayoutDoesNotFit, RenderRefused, TooManyProducts
from esl.domain.ids import LabelId, PanelId
from esl.services import deliveries
from esl.store import labels, templates
from esl.store.due_labels import DueLabel
from gateway.painter import Painter

_NAMED_MOST = 8


class PanelFit:
    """Whether a pairing's picture has room on its label; made for one request."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._label: DueLabel | None = None
        self._in_use: frozenset[PanelId] = frozenset()
        self._painter: Painter | None = None

    def check(self, tx: Connection, touched: Sequence[LabelId]) -> None:
        """Draw what these labels, few, are to show.

        Raises:
            LayoutDoesNotFit: The template's boxes need more than a panel has.
            TooManyProducts: A label has more products than its template shows.
        """
        for label in deliveries.load(tx, list(touched)):
            if label.face is None or label.template is None:
                continue
            painter = Painter(
                renderer=self._house.renderer,
                panels=self._house.panels,
                gallery=self._house.gallery,
            )
            painter.learn(templates.template_sources(tx, painter.unknown([label])))
            self._label, self._painter = label, painter
            self._in_use = frozenset(labels.panels_in_use(tx, label.store_id))
            try:
                painter.paint(label)
            except (LayoutDoesNotFit, TooManyProducts):
                raise
            except RenderRefused:
                continue  # a price, a name: the label's verdict says so, as after every change

    @asynccontextmanager
    async def explained(self) -> AsyncIterator[None]:
        """Say which panels would do, where `check` found that one does not."""
        try:
            yield
        except (LayoutDoesNotFit, TooManyProducts) as exc:
            label, painter = self._label, self._painter
            if label is None or painter is None:
                raise
            fitting = await asyncio.to_thread(self._fitting, label, painter)
            named = ", ".join(fitting[:_NAMED_MOST])
            raise InvalidInput.at(
                "/label",
                f"its panel {label.panel_id} is wrong for the template {label.template}: {exc}",
                fix=f"Take a label with one of these panels: {named}."
                if fitting
                else "No panel model has room for it: pair fewer products, or change the template.",
            ) from exc

    def _fitting(self, label: DueLabel, painter: Painter) -> list[PanelId]:
        """List the panels that have room, those that the store has first."""
        found: list[PanelId] = []
        for panel_id in self._house.panels:
            other = replace(label, panel_id=PanelId(panel_id))
            try:
                painter.paint(other)
            except RenderRefused:
                continue
            found.append(PanelId(panel_id))
        return sorted(found, key=lambda panel_id: (panel_id not in self._in_use, panel_id))
