"""A campaign's plan follows from its seed, and asks for what a whole campaign still needs."""

from collections import Counter

from faults.plan import LEAST_EXITS, LEAST_FAULTS, missing_rounds, next_episode, plan
from faults.result import CampaignResult
from faults.scenarios import SCENARIOS, all_scenarios

NAMES = list(all_scenarios())


def test_a_seed_plans_the_same_scenarios_every_time() -> None:
    assert plan(7, 300) == plan(7, 300)
    assert plan(7, 300) != plan(8, 300)


def test_a_longer_plan_begins_as_the_shorter_one() -> None:
    assert plan(7, 300)[:150] == plan(7, 150)


def test_a_scenario_is_played_as_often_as_its_weight_says() -> None:
    played = Counter(plan(7, 2000))
    assert set(played) == set(NAMES)
    assert played["F12 no answer"] < played["F1 store killed"] < played["F12 answer to insert lost"]


def test_scenarios_that_are_chosen_are_all_played_as_often() -> None:
    assert Counter(plan(7, 20, ["F1 store killed", "F12 no answer"])) == {
        "F1 store killed": 10,
        "F12 no answer": 10,
    }


def test_the_first_episode_of_a_whole_campaign_plays_every_scenario_once() -> None:
    assert sorted(next_episode(7, CampaignResult(), NAMES)) == sorted(NAMES)


def test_a_whole_campaign_ends_when_every_scenario_has_injected_enough() -> None:
    enough = dict.fromkeys(SCENARIOS, 300)
    result = CampaignResult(
        played=Counter(dict.fromkeys(NAMES, LEAST_FAULTS)),
        injected=Counter(enough),
        step_exits=Counter({name.split()[1]: LEAST_EXITS for name in NAMES if name not in SCENARIOS}),
    )
    assert next_episode(7, result, NAMES) == []
    result.injected["F8 disk full"] = LEAST_FAULTS - 1
    assert set(next_episode(7, result, NAMES)) == {"F8 disk full"}


def test_a_scenario_that_injects_nothing_is_given_up() -> None:
    played = CampaignResult(played=Counter({"F8 disk full": 4 * LEAST_FAULTS - 1}))
    assert set(missing_rounds(played, ["F8 disk full"])) == {"F8 disk full"}
    played.played["F8 disk full"] += 1
    assert missing_rounds(played, ["F8 disk full"]) == {}
