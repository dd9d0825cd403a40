"""What others reach on the same sets, as published or measured before; nothing here is run.

Cells as in ``accuracy``: accuracy without rejection / AUROC / accuracy kept where 80 % of
out-of-scope utterances are rejected.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """One engine.

    Attributes:
        engine: Its name.
        cells: Set → cell. ``hint3`` holds what was reached against the set's first labels.
        source: 1 to 3, see ``SOURCES``.
    """

    engine: str
    cells: dict[str, str]
    source: int


SOURCES = (
    "predictions published with HINT3 (Arora et al. 2020, arXiv:2009.13833), first labels (v1)",
    "run by us before, on two cores: not part of this run; HINT3 with the first labels (v1)",
    "from a fine-tuned RoBERTa to the best of Zhang et al. 2021, arXiv:2109.06349, pretrained"
    " encoders of 125 million parameters",
)
PUBLISHED = (
    Published("BERT", {"hint3": "83.6/.824/70.1"}, 1),
    Published("Dialogflow", {"hint3": "75.0/.856/63.7"}, 1),
    Published("LUIS", {"hint3": "73.7/.827/56.4"}, 1),
    Published("Rasa DIET", {"hint3": "79.2/.692/33.4"}, 2),
    Published(
        "nlp.js",
        {"hint3": "72.8/.794/52.0", "clinc150": "79.2/.823/61.5", "banking77": "67.5"},
        2,
    ),
    Published(
        "fastText",
        {"hint3": "74.3/.758/48.2", "clinc150": "68.6/.808/55.5", "banking77": "64.1"},
        2,
    ),
    Published("pretrained encoders", {"clinc150": "91.6–94.2", "banking77": "84.3–87.2"}, 3),
)
PUBLISHED_SPEED = (
    "one query, p50, measured before: Rasa DIET 11.9 ms (302 s to train, 1.6 GB),"
    " nlp.js 0.09–0.5 ms, ChatterBot 268 ms"
)
