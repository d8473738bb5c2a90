"""Rates of a case come from all that a campaign measured of it."""

import json

import pytest

from codealong import records
from codealong.analysis import campaigns, larger
from codealong.analysis.verdicts.verdict import PAIRS


@pytest.mark.parametrize("cell", [larger.BASE, larger.MORE_IMAGES, larger.Cell("ResNet-18", 112)])
def test_a_rate_is_all_images_of_a_campaign_over_all_its_seconds(cell):
    (path, *_) = sorted((records.REFERENCE / larger.SERIES.folder).iterdir())
    images = seconds = 0
    for each in json.loads(path.read_text())["rounds"]:
        for one in each["measurements"]:
            if (one["arm"], one["network"], one["pixels"], one["copies"]) == ("ipex-bf16", *cell):
                images, seconds = images + one["images"], seconds + one["seconds"]
    assert larger.load().rates["ipex-bf16", cell][0] == pytest.approx([images / seconds])


def test_a_folder_without_campaigns_has_no_rates(tmp_path):
    assert len(larger.load(tmp_path)) == 0 and larger.load(tmp_path).rates == {}


def test_one_campaign_is_as_far_off_as_lesson_7_says():
    alone = larger.speed_up(larger.load(), PAIRS["float32"], larger.BASE)
    assert f"{alone.estimate:.2f}, {campaigns.load().ratio(*PAIRS['float32']).estimate:.2f}" == "1.67, 1.29"
