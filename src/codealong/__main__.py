"""The command line: `python -m codealong --help`."""

import argparse
import json
import os
import sys
from pathlib import Path

from codealong import CourseError


def main(arguments=None):
    """Run one command; return its exit status."""
    words = _parser().parse_args(arguments)
    try:
        return words.run(words) or 0
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except CourseError as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser():
    parser = argparse.ArgumentParser(prog="python -m codealong", description="The Fashion-MNIST code-along.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, description in (
        ("doctor", _doctor, "look at this machine: what the course needs and what is here"),
        ("data", _data, "find or fetch Fashion-MNIST, and verify it"),
        ("course", _course, "execute every notebook in order, into build/course/"),
        ("record", _record, "execute every notebook in place, to refresh the stored outputs"),
        ("compare", _compare, "print the published reports beside those of the latest runs"),
        ("ablation", _ablation, "measure what each part of the tuned path is worth, and record it beside the runs"),
        ("ladder", _ladder, "measure each instruction set, and record it beside the recorded runs"),
        ("editions", _editions, "make the students' and the instructors' edition, in build/"),
        ("slides", _slides, "make pages of slides for lessons of 90 and 45 minutes, in build/slides/"),
        ("site", _site, "make the course as static pages, in build/site/"),
        ("pictures", _pictures, "draw images/ and write the results in README.md again"),
    ):
        commands.add_parser(name, help=description, description=description).set_defaults(run=run)
    description = "train every arm with many seeds, interleaved, and sweep over widths; goes on where it was stopped"
    study = commands.add_parser("study", help=description, description=description)
    study.add_argument("--seeds", type=_seeds, help="how many (default: as many as were recorded)")
    study.add_argument("--into", help="folder of the records (default: where the recorded study is)")
    study.set_defaults(run=_study)
    description = "print the published conclusions, and what a study says of each"
    verdicts = commands.add_parser("verdicts", help=description, description=description)
    verdicts.add_argument("--json", action="store_true", help="with all numbers and intervals")
    verdicts.add_argument("--study", help="folder of a study (default: the recorded one)")
    verdicts.set_defaults(run=_verdicts)
    description = "train one arm with one seed, and record the run"
    train = commands.add_parser("train", help=description, description=description)
    train.add_argument("arm", help="stock-fp32, stock-bf16, ipex-fp32 or ipex-bf16")
    train.add_argument("--seed", type=_seed, default=0, help="0 or more")
    train.add_argument("--into", help="folder of the record (default: runs/, or runs/tuned/)")
    train.add_argument("--tuned", action="store_true", help="the fast way: another recipe, and memory kept for reuse")
    train.set_defaults(run=_train)
    description = "measure every way to train this network, into build/bench.json and .png"
    bench = commands.add_parser("bench", help=description, description=description)
    bench.add_argument("--peers", help="Python of an environment with Keras and JAX, to measure them too")
    bench.add_argument("--rates-only", action="store_true", help="leave out the training to 0.91 test accuracy")
    bench.add_argument("--into", help="file of the result (default: build/bench.json)")
    bench.set_defaults(run=_bench)
    return parser


def _seed(word):
    if not word.isdecimal() or int(word) >= 2**63:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0, and this is {word}")
    return int(word)


def _seeds(word):
    from codealong.measure import study

    if not word.isdecimal() or not study.FEWEST <= int(word) <= 1000:
        raise argparse.ArgumentTypeError(
            f"a study needs {study.FEWEST} seeds or more (1,000 at most), and this is {word}"
        )
    return int(word)


def _doctor(_):
    from codealong import doctor

    lines = doctor.examine()
    print(doctor.report(lines))
    return int(any(line.level == "fail" for line in lines))


def _data(_):
    from codealong import sources

    print(f"Fashion-MNIST: intact in {sources.folder()} (from {sources.obtain()})")


def _course(_):
    from codealong.publish import course

    course.run()


def _record(_):
    from codealong.publish import course

    course.record()


def _compare(_):
    from codealong import data, runs
    from codealong.analysis import reports
    from codealong.arms import ARMS

    labels = data.load().test.labels.numpy()
    found, origin = runs.find(list(ARMS))
    columns = {f"published {which}": reports.published(which) for which in ("without", "with")}
    columns |= {arm: reports.from_predictions(labels, run.classes) for arm, run in found.items()}
    print(f"F1 by class: what was published, and {origin} runs (seed {found['stock-fp32'].seed})\n")
    print(reports.side_by_side(columns).to_string(float_format="{:.3f}".format))
    table = reports.relative_rates(reports.overview(found.values(), labels))
    print("\n" + reports.formatted(table).to_string(index=False))
    print("\nOne pair of runs can't tell an optimisation from luck: notebook 05 says why.")


def _study(words):
    from codealong import runs
    from codealong.measure import study

    study.conduct(words.into or runs.RECORDED, words.seeds or study.SEEDS)


def _verdicts(words):
    from codealong import runs
    from codealong.analysis import study, verdicts

    found = verdicts.judge(study.load(words.study or runs.RECORDED))
    if words.json:
        print(json.dumps(verdicts.plain(found), indent=1))
    else:
        print("In parentheses: intervals, each at 95 % by itself; of ratios, for their median.\n")
        print(verdicts.text(found))


def _ablation(_):
    from codealong.measure import ablation

    rows = ablation.run()
    ablation.save(rows)
    print(ablation.table(rows).to_string())


def _ladder(_):
    from codealong.measure import instruction_sets

    steps = instruction_sets.measure()
    instruction_sets.save(steps)
    for step in steps:
        rate = step["images_per_second"]
        print(f"{step['row']:18} {step['level']:14} {rate['median']:8,.0f} ({rate['low']:,.0f} to {rate['high']:,.0f})")


def _editions(_):
    from codealong.publish import editions

    kept = editions.write()
    print(f"the edition to type along is in {editions.STUDENT}, the one to teach from in {editions.INSTRUCTOR}")
    for path in kept:
        typed = path.name.replace(".new.ipynb", ".ipynb")
        print(
            f"{path.parent.name}/{typed} has been worked in, and is kept: the new edition is beside it, as {path.name}"
        )


def _slides(_):
    from codealong.publish import slides

    for path in slides.write():
        print(path)


def _site(_):
    from codealong.publish import site

    site.write()
    print(f"the site begins at {site.SITE / 'index.html'}")


def _pictures(_):
    from codealong.publish import photographs, pictures, readme

    for path in pictures.draw():
        print(path)
    try:
        for path in photographs.photograph(pictures.FOLDER):
            print(path)
    except CourseError as problem:
        print(f"photographs are kept as they were: {problem}")
    readme.write()


def _train(words):
    from codealong import hardware, runs

    if words.tuned and not hardware.memory_is_kept():
        # glibc reads these as a process starts, so this process starts again.
        print("keeping memory:", " ".join(f"{key}={value}" for key, value in hardware.KEEP_MEMORY.items()), flush=True)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | hardware.KEEP_MEMORY)

    from codealong import arms, data, training

    arms.get(words.arm)
    into = words.into or (runs.folder() / "tuned" if words.tuned else runs.folder())
    runs.ensure_writable(into)
    splits = data.load()
    recipe = training.TUNED if words.tuned else training.RECIPE
    net, history = training.fit(words.arm, words.seed, splits.train, splits.valid, recipe)
    run = runs.new(words.arm, words.seed, recipe, history, training.predict(net, splits.test))
    accuracy = (run.classes == splits.test.labels.numpy()).mean()
    print(f"test accuracy {accuracy:.4f}, recorded in {runs.save(run, into)}")


def _bench(words):
    from codealong.analysis.benchmark import report
    from codealong.measure import benchmark

    path = Path(words.into or benchmark.RESULT)
    rows = benchmark.run(words.peers, words.rates_only, keep=lambda rows: benchmark.save(rows, path))
    benchmark.save(rows, path)
    print(report(rows))

    from codealong import figures

    picture = path.with_suffix(".png")
    figures.benchmark(rows).savefig(picture)
    print(f"\nEvery measurement is in {path}, drawn in {picture}")


if __name__ == "__main__":
    sys.exit(main())
