"""A Python client generated from the description, against a running Edgeboard.

EDGEBOARD_URL and EDGEBOARD_KEY (the operator's) say where. The leaderboard `clients-py` of the tenant `clients-check` is replaced.
"""

import os
import sys

import v1
import v1_strings
from v1.api.leaderboards import delete_leaderboard, put_leaderboard
from v1.api.ranks import list_entries, read_entry
from v1.api.scores import submit_scores
from v1.models import Column, Leaderboard, LeaderboardWritten, Problem, Submission
from v1_strings.api.ranks import read_entry as read_entry_with_strings

LEADERBOARD = "clients-py"
BEYOND = 2**53 + 1

failures = 0


def same(what, found, expected):
    global failures
    if found != expected:
        failures += 1
        print(f"FAILED {what}\n  found    {found!r}\n  expected {expected!r}", file=sys.stderr)


def main():
    url, key = os.environ.get("EDGEBOARD_URL"), os.environ.get("EDGEBOARD_KEY")
    if not url or not key:
        print("error: EDGEBOARD_URL and EDGEBOARD_KEY say what to check", file=sys.stderr)
        return 2
    headers = {"X-API-Key": key, "X-Tenant-ID": "clients-check"}
    client = v1.Client(base_url=url, headers=headers)
    delete_leaderboard.sync_detailed(LEADERBOARD, client=client)
    board = put_leaderboard.sync(LEADERBOARD, client=client, body=LeaderboardWritten(title="Clients"))
    same("a leaderboard", (type(board), board.title, type(board.columns[0])), (Leaderboard, "Clients", Column))
    outcome = submit_scores.sync(LEADERBOARD, client=client, body=Submission(player="ann", score=7))
    same("an outcome", (outcome.rank, outcome.values["score"]), (1, 7))
    outcome = submit_scores.sync(LEADERBOARD, client=client, body=Submission(player="bob", score=str(BEYOND)))
    same("a large integer", outcome.values["score"], str(BEYOND))
    page = list_entries.sync(LEADERBOARD, client=client)
    same("a list", [(entry.rank, entry.player) for entry in page.entries], [(1, "bob"), (2, "ann")])
    missing = read_entry.sync(LEADERBOARD, "nobody", client=client)
    same("a problem", (type(missing), missing.status, missing.type_), (Problem, 404, "/problems/entry-not-found"))
    refused = submit_scores.sync(LEADERBOARD, client=client, body=Submission(player="", score=1))
    same("its errors", (type(refused), [error.pointer for error in refused.errors]), (Problem, ["#/player"]))
    strings = v1_strings.Client(base_url=url, headers={**headers, "API-Integers": "string"})
    entry = read_entry_with_strings.sync(LEADERBOARD, "ann", client=strings).entry
    same("a string", entry.values["score"], "7")
    if failures:
        print(f"error: {failures} checks of the Python client failed", file=sys.stderr)
        return 1
    print("==> the Python client works", file=sys.stderr)
    return 0


sys.exit(main())
