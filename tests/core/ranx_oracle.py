"""Asks ranx for metrics, in a process of its own: python -m tests.core.ranx_oracle < question > answer.

ranx compiles itself for minutes on a fresh machine; without compilation, which must be decided
before its import, the few lists of a test take seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def ask(wanted: dict[str, Any], ranked: dict[str, Any], names: list[str]) -> dict[str, dict[str, float]]:
    """Return {metric: {user: value}} of ranx for {user: {item: relevance}} and {user: {item: score}}."""
    question = json.dumps({"wanted": wanted, "ranked": ranked, "names": names})
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-m", "tests.core.ranx_oracle"]
    answer = subprocess.run(command, input=question, env=environment, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def main() -> None:
    """Answer one question."""
    import ranx

    question = json.load(sys.stdin)
    run = ranx.Run(question["ranked"])
    ranx.evaluate(ranx.Qrels(question["wanted"]), run, question["names"])
    json.dump(
        {name: {user: float(value) for user, value in run.scores[name].items()} for name in run.scores}, sys.stdout
    )


if __name__ == "__main__":
    main()
