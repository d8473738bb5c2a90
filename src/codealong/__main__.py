"""The command line: `python -m codealong --help`."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from codealong import CourseError, arms, ipex_guard


def main(arguments=None):
    """Run one command; return its exit status."""
    parser = _parser()
    words, unknown = parser.parse_known_args(arguments)
    if unknown:
        words.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        return words.run(words) or 0
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except CourseError as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser():
    described = {
        "Learn": {
            _doctor: "look at this machine: what the course needs and what is here",
            _data: "find or fetch Fashion-MNIST, and verify it",
            _course: "execute every notebook in order, into build/course/",
            _train: "train one arm with one seed, and record the run",
            _compare: "print the published reports beside those of the latest runs",
            _verdicts: "print the published conclusions, and what a study says of each",
        },
        "Teach": {
            _editions: "make the students' and the instructors' edition, in build/",
            _slides: "make slides for lessons of 90 and 45 minutes, in build/slides/",
            _handout: "print a page for each lesson, the answers and the slides, in build/handout/",
            _site: "make the course as static pages, in build/site/",
        },
        "Measure": {
            _study: "train every arm with many seeds, interleaved; goes on where it was stopped",
            _campaign: "measure the rate of every arm, interleaved, in ten minutes; a verdict on time needs three",
            _larger: "the same with larger networks, images and data sets",
            _publication: "train what was published: 100 epochs, and the deeper network; an hour, beside other work",
            _bench: "measure every way to train this network, with a picture",
            _ablation: "measure what each part of the tuned path is worth",
            _instruction_sets: "measure what each instruction set adds",
            _time_to_accuracy: "measure how much sooner the recipe for speed alone reaches 0.91; half an hour",
        },
        "Maintain": {
            _machine: "record all of the above for the machine this runs on, and one more campaign",
            _record: "execute every notebook in place, to refresh the stored outputs",
            _pictures: "draw images/, and write the results in README.md, RESULTS.md and the site's front page again",
            _audit: "compare known vulnerabilities of the locked packages with SECURITY.md",
        },
    }
    listed = "\n\n".join(
        "\n".join([f"{group}:", *(f"  {_name(run):17}{text}" for run, text in commands.items())])
        for group, commands in described.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m codealong",
        usage="%(prog)s COMMAND [OPTION ...]",
        description=f"The Fashion-MNIST code-along.\n\n{listed}",
        epilog="COMMAND --help lists the options of one command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=lambda _: parser.print_help(), parser=parser)
    commands = parser.add_subparsers(metavar="COMMAND", help=argparse.SUPPRESS, prog=parser.prog)
    options = {}
    for run, text in (pair for group in described.values() for pair in group.items()):
        options[run] = commands.add_parser(_name(run), description=text)
        options[run].set_defaults(run=run, parser=options[run])

    options[_study].add_argument("--seeds", type=_seeds, help="how many (default: as many as were recorded)")
    options[_verdicts].add_argument("--json", action="store_true", help="with all numbers and intervals")
    options[_verdicts].add_argument("--study", type=_path, help="folder of a study (default: the recorded one)")
    train = options[_train]
    train.add_argument("arm", help=f"one of {', '.join(arms.ARMS)}")
    train.add_argument("--seed", type=_seed, default=0, help="0 or more")
    train.add_argument("--into", type=_path, help="folder of the record (default: runs/, or runs/tuned/)")
    train.add_argument("--tuned", action="store_true", help="the fast way: another recipe, and memory kept for reuse")
    bench = options[_bench]
    bench.add_argument(
        "--peers", type=_path, help="Python of an environment with Keras and other peers, to measure them too"
    )
    options[_machine].add_argument("--peers", type=_path, help="as for bench")
    bench.add_argument("--rates-only", action="store_true", help="leave out the training to 0.91 test accuracy")
    options[_machine].add_argument("--into", type=_path, help="a folder (default: that of this machine, in recorded/)")
    options[_audit].add_argument("--gather", type=_path, help="from a clone of the PyPA's advisory database, first")
    for measure in (_study, _campaign, _larger, _publication, _bench, _ablation, _instruction_sets, _time_to_accuracy):
        text = "for maintainers: a machine's folder of records (default: build/measured/)"
        options[measure].add_argument("--into", type=_path, help=text)
    return parser


def _name(run):
    return run.__name__.removeprefix("_").replace("_", "-")


def _path(word):
    if not word:
        raise argparse.ArgumentTypeError("it is empty: name a path, or leave this option out")
    return Path(word)


def _seed(word):
    if not word.isdecimal() or int(word) >= 2**63:
        raise argparse.ArgumentTypeError(f"a seed is a whole number, 0 or more, and not {word!r}")
    return int(word)


def _seeds(word):
    from codealong.measure import study

    if not word.isdecimal() or not study.FEWEST <= int(word) <= 1000:
        raise argparse.ArgumentTypeError(f"a study needs {study.FEWEST} to 1,000 seeds, and not {word!r}")
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
    from codealong import data, replay
    from codealong.analysis import reports

    labels = data.load().test.labels.numpy()
    by_arm, origin = replay.find()
    columns = {f"published {which}": reports.published(which) for which in ("without", "with")}
    columns |= {arm: reports.from_predictions(labels, run.classes) for arm, run in by_arm.items()}
    run = by_arm["stock-fp32"]
    when_and_where = f"seed {run.seed}, {run.provenance['date'][:10]} on {run.provenance['processor']}"
    print(f"F1 by class: what was published, and {origin} runs ({when_and_where})\n")
    print(reports.side_by_side(columns).to_string(float_format="{:.3f}".format))
    table = reports.relative_rates(reports.overview(by_arm.values(), labels))
    print("\n" + reports.formatted(table).to_string(index=False))
    print("\nOne pair of runs can't tell an optimisation from luck: notebook 06 says why.")


def _study(words):
    from codealong import records
    from codealong.measure import study

    study.conduct(words.into or records.OWN, words.seeds or study.SEEDS)


def _campaign(words):
    from codealong import records
    from codealong.analysis import campaigns
    from codealong.measure import campaign

    into = words.into or records.OWN
    print(f"recorded in {campaign.SERIES.measure(into)}\n\nrates relative to stock-fp32, by campaign:")
    times = campaigns.load(into)
    for arm in times.rates:
        print(f"{arm:20}", *(f"{ratio:.2f}" for ratio in times.by_campaign("stock-fp32", arm)))


def _larger(words):
    from codealong import records
    from codealong.measure import larger

    print(f"recorded in {larger.SERIES.measure(words.into or records.OWN)}")


def _publication(words):
    from codealong import records
    from codealong.measure import publication

    publication.conduct(words.into or records.OWN)


def _machine(words):
    if words.peers:
        _ensure_peers(words.peers.absolute())

    from codealong.measure import machine

    machine.record(words.into or machine.folder(), words.peers)


def _verdicts(words):
    if words.study and not words.study.is_dir():
        what = "is a file" if words.study.exists() else "does not exist"
        raise CourseError(
            f"{words.study} {what}: name the folder of a study, or leave --study out to read the recorded one."
        )

    from codealong import records
    from codealong.analysis import study, verdicts

    whole = study.load(words.study or records.REFERENCE)
    judged = verdicts.judge(whole)
    if words.json:
        print(json.dumps(verdicts.plain(judged), indent=1))
    else:
        origin = whole.provenance
        print(f"{len(whole.seeds)} seeds of {len(whole.runs)} arms, {origin['date'][:10]} on {origin['processor']}.")
        print("In parentheses: intervals, each at 95 % by itself; those of times are for other campaigns.\n")
        print(verdicts.text(judged))
        if not words.study:
            print(f"\nby machine:\n{verdicts.by_machine().to_string()}")


def _ablation(words):
    from codealong import records
    from codealong.analysis import ablation as analysis
    from codealong.measure import ablation

    print(analysis.table(ablation.measure(words.into or records.OWN)).to_string())


def _instruction_sets(words):
    from codealong import records
    from codealong.analysis import stats
    from codealong.measure import instruction_sets

    into = words.into or records.OWN
    records.ensure_writable(into)
    record = instruction_sets.measure()
    instruction_sets.save(record, into)
    for level in record["levels"]:
        print(f"{level['contestant']:18} {level['level']:14} {stats.median(level['images_per_second']):,.0f}")


def _time_to_accuracy(words):
    from codealong import records
    from codealong.analysis import time_to_accuracy as analysis
    from codealong.measure import time_to_accuracy

    print(analysis.report(analysis.summarise(time_to_accuracy.measure(words.into or records.OWN))))


def _editions(_):
    from codealong.publish import editions

    kept = editions.write()
    print(f"the edition to type along is in {editions.STUDENT}, the one to teach from in {editions.INSTRUCTOR}")
    for path in kept:
        typed = path.name.replace(".new.ipynb", ".ipynb")
        print(
            f"{path.parent.name}/{typed} has been worked in and is kept; the new edition is beside it, as {path.name}"
        )


def _slides(_):
    from codealong.publish import slides

    for path in slides.write():
        print(path)


def _handout(_):
    from codealong.publish import handouts

    for path in handouts.write():
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


def _audit(words):
    from codealong import audit

    if words.gather:
        audit.gather(words.gather)
    print(audit.report())


def _train(words):
    if not (able := arms.get(words.arm).status()).usable:
        raise ipex_guard.Unusable(able.reason)

    from codealong import hardware, records, runs

    if words.tuned and not hardware.memory_is_kept():
        # glibc reads these as a process starts, so this process starts again.
        print("keeping memory:", " ".join(f"{key}={value}" for key, value in hardware.KEEP_MEMORY.items()), flush=True)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | hardware.KEEP_MEMORY)

    from codealong import data, training

    into = words.into or (runs.folder() / "tuned" if words.tuned else runs.folder())
    records.ensure_writable(into)
    splits = data.load()
    recipe = training.TUNED if words.tuned else training.RECIPE
    run = training.fit(words.arm, words.seed, splits.train, splits.valid, recipe).run(splits.test)
    accuracy = (run.classes == splits.test.labels.numpy()).mean()
    print(f"test accuracy {accuracy:.4f}, recorded in {runs.save(run, into)}")


def _bench(words):
    if words.peers:
        _ensure_peers(words.peers.absolute())

    from codealong import figures, records
    from codealong.analysis import benchmark as analysis
    from codealong.measure import benchmark

    into = words.into or records.OWN
    rows = analysis.summarise(benchmark.measure(into, words.peers, words.rates_only))
    print(analysis.report(rows))
    picture = (into / benchmark.NAME).with_suffix(".png")
    figures.benchmark(rows).savefig(picture)
    print(f"\nEvery measurement is in {into / benchmark.NAME}, drawn in {picture}")


def _ensure_peers(python):
    """Refuse a Python that is not there, or lacks the peers: the workers would find out minutes later."""
    needed = ("keras", "jax", "onnx", "onnxruntime", "openvino")
    lacking = f"import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, {needed})))"
    try:
        problem = "lacks one of the peers" if subprocess.run([python, "-c", lacking]).returncode else None
    except OSError as error:
        problem = f"cannot be run ({error.strerror})"
    if problem:
        raise CourseError(f"{python} {problem}: `make bench-peers` sets up an environment that has them.")


if __name__ == "__main__":
    sys.exit(main())
