"""The command line: `python -m codealong --help`."""

import argparse
import sys

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
        ("pictures", _pictures, "draw images/ and write the results in README.md again"),
    ):
        commands.add_parser(name, help=description, description=description).set_defaults(run=run)
    description = "train one arm with one seed, and record the run"
    train = commands.add_parser("train", help=description, description=description)
    train.add_argument("arm", help="stock-fp32, stock-bf16, ipex-fp32 or ipex-bf16")
    train.add_argument("--seed", type=_seed, default=0, help="0 or more")
    train.add_argument("--into", help="folder of the record (default: runs/)")
    train.set_defaults(run=_train)
    return parser


def _seed(word):
    if not word.isdecimal() or int(word) >= 2**63:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0, and this is {word}")
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
    from codealong import course

    course.run()


def _record(_):
    from codealong import course

    course.record()


def _compare(_):
    from codealong import data, report, runs
    from codealong.arms import ARMS

    labels = data.load().test.labels.numpy()
    found, origin = runs.find(list(ARMS))
    reports = {f"published {which}": report.published(which) for which in ("without", "with")}
    reports |= {arm: report.from_predictions(labels, run.classes) for arm, run in found.items()}
    print(f"F1 by class: what was published, and {origin} runs (seed {found['stock-fp32'].seed})\n")
    print(report.side_by_side(reports).to_string(float_format="{:.3f}".format))
    table = report.relative_rates(report.overview(found.values(), labels))
    print("\n" + report.formatted(table).to_string(index=False))
    print("\nOne pair of runs can't tell an optimisation from luck: notebook 05 says why.")


def _pictures(_):
    from codealong import pictures, readme

    for path in pictures.draw():
        print(path)
    readme.write()


def _train(words):
    from codealong import arms, data, runs, training

    arms.get(words.arm)
    runs.ensure_writable(words.into)
    splits = data.load()
    net, history = training.fit(words.arm, words.seed, splits.train, splits.valid)
    run = runs.new(words.arm, words.seed, training.RECIPE, history, training.predict(net, splits.test))
    accuracy = (run.classes == splits.test.labels.numpy()).mean()
    print(f"test accuracy {accuracy:.4f}, recorded in {runs.save(run, words.into)}")


if __name__ == "__main__":
    sys.exit(main())
