"""What every figure has to pass, whatever module draws it in its fixture `drawn`."""

from tests.conftest import assert_fits_a_slide


def test_every_figure_can_be_read_on_a_slide(drawn):
    for fig in drawn.values():
        assert_fits_a_slide(fig)


def test_every_figure_is_described_for_who_cannot_see_it(drawn):
    for name, fig in drawn.items():
        assert len(fig.description) > 60 and fig.description.endswith("."), name
