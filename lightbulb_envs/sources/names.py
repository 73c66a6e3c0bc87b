"""Names of people, places and organisations, made from two parts each.

A pair (start, end) belongs to the split whose residue is (start + end) modulo 5. No start is the
beginning of another start, so two pairs never spell the same name.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.randomness import to_range
from lightbulb_envs.splits import SPLITS


@dataclass(frozen=True)
class NameParts:
    """Two lists of parts; both lengths are multiples of the number of splits."""

    starts: tuple[str, ...]
    ends: tuple[str, ...]

    def __post_init__(self) -> None:
        for parts in (self.starts, self.ends):
            if len(parts) % len(SPLITS) != 0:
                raise ValueError(f"name parts come in multiples of {len(SPLITS)}, got {len(parts)}")

    def choose(
        self, start_words: NDArray[np.uint32], end_words: NDArray[np.uint32], residue: int
    ) -> NDArray[np.int64]:
        """Returns name numbers (start * len(ends) + end) of one split, from two draws each."""
        starts = to_range(start_words, len(self.starts))
        end_blocks = to_range(end_words, len(self.ends) // len(SPLITS))
        ends = end_blocks * len(SPLITS) + (residue - starts) % len(SPLITS)
        names: NDArray[np.int64] = starts * len(self.ends) + ends
        return names

    def shift_start(
        self, names: NDArray[np.int64], steps: NDArray[np.int64] | int
    ) -> NDArray[np.int64]:
        """Returns names of the same split whose start lies `steps` further: surely other names."""
        starts, ends = np.divmod(names, len(self.ends))
        moved = (starts + steps) % len(self.starts)
        # Both counts are multiples of 5, so wrapping around keeps residues.
        ends = ends - ends % len(SPLITS) + (ends - (moved - starts)) % len(SPLITS)
        shifted: NDArray[np.int64] = moved * len(self.ends) + ends
        return shifted


SURNAMES = NameParts(
    starts=tuple(
        "Hal Mar Ost Bren Kel Dun Var Sor Thel Wend Har Lin Pel Ran Cor Tar Fen Gal Ash Bel "
        "Cal Dor Elm Far Gren Hol Ing Jor Kar Lom Mel Nor Orm Pren Quin Ros Sel Tor Ul Wil".split()
    ),
    ends=tuple(
        "gard hart holt lander man mond nell quist rell rick rosen sby sen shaw ski son stad "
        "stein strom sworth vell vig wald wall ward well wen wyn zak dorff berg bright croft dane "
        "feld fors gren lund ley vorsen".split()
    ),
)
PLACES = NameParts(
    starts=tuple(
        "Aber Bar Black Bram Castle Clear Cold Crow Deep East Fair Glen Green Haver Iron King Lang "
        "Long Maple Mill New Oak Old Raven Red River Rock Silver Stone White".split()
    ),
    ends=tuple(
        "borough bridge brook burn bury cliff dale field ford gate ham haven mere mouth port shore "
        "stead ton vale wood".split()
    ),
)
COMPANIES = NameParts(
    starts=tuple(
        "Acro Ambi Apex Axi Bryo Calto Cero Cyra Dyna Elio Envo Ferro Geno Helio Innu Kino Luma "
        "Magni Nexo Omni Orbi Penta Quanto Rivo Solar Tele Terra Vero Zeni Zyro".split()
    ),
    ends=tuple(
        "con dex dyne gen lane line lux mark max med nova path point star tech tek tron ware way "
        "wise".split()
    ),
)

WOMEN = tuple(
    "Anna Beatrice Carla Daria Elena Fiona Grace Hanna Irene Julia Klara Lena Maria Nadia Olivia "
    "Petra Rosa Sofia Teresa Vera".split()
)
MEN = tuple(
    "Adrian Bruno Carl Daniel Erik Felix Gregor Henry Ivan Jonas Karim Leo Martin Nils Oscar "
    "Pablo Robert Simon Thomas Victor".split()
)
FIRST_NAMES = WOMEN + MEN
