#!/usr/bin/env python3
"""Holds lakes of a made-up Denmark against the engine: DuckDB and DataFusion read what `replika lake` wrote.

usage: check.py REPLIKA ENGINE_ANSWERS [FAMILY...]

REPLIKA         the command, built with the cargo feature `lake`
ENGINE_ANSWERS  the example of that name of crate cpr-lake

For each family a store takes an establishment and some nights, and a lake grows with it. Then:
1. the grown lake and one that is written at once, from a folder of packs, have the same bytes;
2. 200 random counts by municipality, status, age and citizenship as known at a delivery equal `replika find` on the store as
   it was then, and 200 as of random (valid, known) equal what the engine says of everybody;
3. every fact and event is what the engine's `history` tells, field by field, pseudonyms computed here;
4. DataFusion and plain DuckDB read the files without options;
5. no number, name or address is in what the default profile wrote. The same search first finds them where they are.
Numbers are made up; what differs is told by table and column, never by value.
"""

import csv
import datetime
import filecmp
import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import datafusion
import duckdb

ROOT = Path(__file__).resolve().parent.parent.parent
PERSONS, NIGHTS, NIGHT_SIZE = 800, 3, 120
KEY = bytes(range(32))

# Where valid time begins and ends, its marks, and the time of registration: by aspect, in CPR's terms.
BOUNDS = {
    "address": ("TILFLYDTO", "FRAFLYDTO", "TILFLYDTO_UMRK", "FRAFLYDTO_UMRK", "ADR_TS"),
    "protection": ("START_DT-BESKYTTELSE", "SLUT_DT-BESKYTTELSE", None, None, "START_TS-BESKYTTELSE"),
    "emigration": ("UDRDTO", "INDRDTO", "UDRDTO_UMRK", "INDRDTO_UMRK", "UDR_TS"),
    "contact_address": ("START_DT-ADRTXT", None, None, None, None),
    "disappearance": ("FORSVINDDTO", "GENFINDDTO", "FORSVINDDTO_UMRK", "GENFINDDTO_UMRK", "FORSVIND_TS"),
    "name": ("NVNHAENSTART", "NVNHAENSLUT", "HAENSTART_UMRK-NAVNE", "HAENSLUT_UMRK-NAVNE", "NVN_TS"),
    "citizenship": ("HAENSTART-STATSBORGERSKAB", "HAENSLUT-STATSBORGERSKAB", "HAENSTART_UMRK-STATSBORGERSKAB",
                    "HAENSLUT_UMRK-STATSBORGERSKAB", "STAT_TS"),
    "church": ("START_DT-FOLKEKIRKE", "SLUT_DT-FOLKEKIRKE", "START_DT_UMRK-FOLKEKIRKE", "SLUT_DT_UMRK-FOLKEKIRKE", "FKIRK_TS"),
    "civil_status": ("HAENSTART-CIVILSTAND", "HAENSLUT-CIVILSTAND", "HAENSTART_UMRK-CIVILSTAND", "HAENSLUT_UMRK-CIVILSTAND",
                     "CIV_TS"),
    "separation": ("START_DT-SEPARATION", "SLUT_DT-SEPARATION", "START_DT_UMRK-SEPARATION", "SLUT_DT_UMRK-SEPARATION",
                   "START_TS-SEPARATION"),
    "custody": ("START_DT-FORÆLDREMYN", None, "START_DT_UMRK-FORÆLDREMYN", None, "START_TS-FORÆLDREMYN"),
    "guardianship": ("START_DT-UMYNDIG", None, "START_DT_UMRK-UMYNDIG", None, None),
    "municipal_condition": ("START_DT-KOMMUNALE-FORHOLD", None, "START_DT_UMRK-KOMMUNALE-FORHOL", None, None),
    "note": ("START_DT-NOTAT", None, None, None, None),
    "election": ("START_DT-VALGOPLYSNINGER", None, None, None, None),
    "order_to_move": ("START_DT-FLYTTEPÅBUD", None, None, None, None),
    "former_number": ("START_DT-PERSON", "SLUT_DT-PERSON", "START_DT_UMRK-PERSON", "SLUT_DT_UMRK-PERSON", None),
    "person": (None, None, None, None, "STATUS_TS"),
    "birth_registration": (None, None, None, None, "START_TS-FØDESTED"),
}
NOTHING = (None, None, None, None, None)

problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)
        print(f"  DIFFERS: {what}", flush=True)


def run(*words, text=None):
    done = subprocess.run([str(word) for word in words], input=text, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{words[1]}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def pseudonym(pnr):
    return max(int.from_bytes(hmac.new(KEY, pnr.encode(), hashlib.sha256).digest()[:8], "big") >> 1, 1)


def column(term):
    return term.replace("Æ", "AE").replace("Ø", "OE").replace("Å", "AA").replace("-", "_").lower()


def layouts(family):
    """By record: name in the product -> (CPR's term, type)."""
    extends = {row["family"]: row["extends"] for row in csv.DictReader(open(ROOT / "crates/cpr-extract/layouts/families.csv"))}
    chain = [family]
    while extends.get(chain[0]):
        chain.insert(0, extends[chain[0]])
    found = {}
    for of in chain:
        own = {}
        for row in csv.DictReader(open(ROOT / "crates/cpr-extract/layouts/records.csv", encoding="utf-8")):
            if row["family"] == of:
                own.setdefault(row["record"], {})[row["field"]] = (row["term"] or row["field"], row["type"])
        found.update(own)
    return found


def day(digits):
    """The first day that does not come before eight digits, and whether it is they."""
    year, month, of_month = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    try:
        return datetime.date(year, month, of_month), True
    except ValueError:
        pass
    if month == 0:
        return datetime.date(max(year, 1), 1, 1), False
    if of_month == 0 and month <= 12:
        return datetime.date(max(year, 1), month, 1), False
    return (datetime.date(year + 1, 1, 1) if month >= 12 else datetime.date(year, month + 1, 1)), False


def moment(digits):
    on, exact = day(digits[:8])
    at = datetime.datetime(on.year, on.month, on.day)
    if not exact:
        return at, False
    hour, minute = int(digits[8:10]), int(digits[10:12])
    last = datetime.timedelta(microseconds=1)
    if hour > 23:
        return at + datetime.timedelta(days=1) - last, False
    if minute > 59:
        return at + datetime.timedelta(hours=hour + 1) - last, False
    return at + datetime.timedelta(hours=hour, minutes=minute), True


def spelled(digits):
    date = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    return date if len(digits) == 8 else f"{date} {digits[8:10]}:{digits[10:12]}"


def placed(text, as_moment):
    """(value, what was received where the value says another thing) of a date or timestamp as received."""
    digits = "".join(c for c in text or "" if c.isdigit())
    if not digits.strip("0"):
        return None, None
    if as_moment:
        digits = digits.ljust(12, "0")
        value, exact = moment(digits)
    else:
        value, exact = day(digits)
    return value, None if exact else spelled(digits)


def expected_row(pnr, fact, fields):
    """What a lake with every column says of a fact: column -> value; zeros and blanks are none."""
    start, end, start_mark, end_mark, registered = BOUNDS.get(fact["aspect"], NOTHING)
    told = {fields[name][0]: (value, fields[name][1]) for name, value in fact["fields"].items() if name in fields}
    value_of = lambda term: told.get(term, ("", None))[0]
    valid_from, from_text = placed(fact["valid_from"], True)
    valid_to, to_text = placed(fact["valid_to"], True)
    if valid_to is None and fact["historic"]:
        valid_from = valid_to = valid_from or datetime.datetime(1, 1, 1)
    elif valid_from is None and valid_to is not None and fact["aspect"] == "emigration":
        valid_from = valid_to
    at, at_text = placed(value_of(registered), True) if registered else (None, None)
    row = {
        "person": pseudonym(pnr), "known_from": fact["known_from"], "known_to": fact["known_to"],
        "record": int(fact["record"]), "historic": fact["historic"], "mark": fact["mark"],
        "valid_from": valid_from, "valid_to": valid_to, "valid_from_text": from_text, "valid_to_text": to_text,
        "registered_at": at, "registered_at_text": at_text,
    }
    if start_mark:
        row["valid_from_uncertain"] = value_of(start_mark) == "*"
    if end_mark:
        row["valid_to_uncertain"] = value_of(end_mark) == "*"
    for term, (value, kind) in told.items():
        if term in (start, end, start_mark, end_mark, registered, "ANNKOR") or kind == "K":
            continue
        name = column(term)
        if kind in ("N", "N?"):
            row[name] = int(value) if value.strip() and int(value) else None
        elif kind in ("D", "D8", "T", "TA"):
            row[name], row[f"{name}_text"] = placed(value, kind in ("T", "TA"))
        elif kind == "P":
            row[name] = None if not value.strip() else pseudonym(value) if value.strip("0") else 0
        else:
            row[name] = value or None
    return {name: value for name, value in row.items() if value is not None}


def open_lake(lake):
    connection = duckdb.connect()
    connection.execute(f"SET file_search_path = '{lake}'")
    connection.execute((lake / "views.sql").read_text())
    return connection


def rows_of(connection, table):
    """The rows of a view as dictionaries without what is none; numbers that are 0 are none, as in CPR's files."""
    result = connection.execute(f"SELECT * FROM {table}")
    names = [description[0] for description in result.description]
    numbers = {name for name, kind in zip(names, result.description) if str(kind[1]) == "SMALLINT"}
    for values in result.fetchall():
        row = dict(zip(names, values))
        yield {name: value for name, value in row.items()
               if value is not None and name not in ("fact_number", "tie_rank", "known_from_production", "known_to_production")
               and not (value == 0 and name in numbers)
               and not (name.endswith("_text") and not value.strip("0-: "))}


def check_history(lake, answers, family):
    connection, records = open_lake(lake), layouts(family)
    expected, events = {}, Counter()
    for line in answers:
        answer = json.loads(line)
        if "event" in answer:
            event = answer["event"]
            events[pseudonym(answer["pnr"]), event["delivery"], event["record"], event["code"], event["mark"] or None] += 1
            continue
        fact = answer["fact"]
        row = expected_row(answer["pnr"], fact, records[fact["record"]])
        expected.setdefault(fact["aspect"], Counter())[frozenset(row.items())] += 1
    facts = 0
    for aspect, rows in expected.items():
        found = Counter(frozenset(row.items()) for row in rows_of(connection, f"{aspect}_versions"))
        facts += found.total()
        missing, odd = rows - found, found - rows
        columns = set()
        for one in list(missing)[:20]:
            near = min(odd, key=lambda other: len(one ^ other), default=frozenset())
            columns |= {name for name, _ in one ^ near}
        expect(not missing and not odd, f"{family} {aspect}: {missing.total()} facts missing, {odd.total()} odd; {sorted(columns)}")
    views = {name for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()}
    for view in views:
        if view.endswith("_versions") and view.removesuffix("_versions") not in expected:
            count = connection.execute(f"SELECT count(*) FROM {view}").fetchone()[0]
            expect(count == 0, f"{family} {view}: {count} facts of an aspect without any")
    found = Counter(connection.execute("SELECT person, known_from, record, haendelse, afledtmrk FROM events").fetchall())
    expect(found == events, f"{family} events: {(events - found).total()} missing, {(found - events).total()} odd")
    print(f"  {facts} facts and {events.total()} events compared with history")


class Questions:
    """Random questions about what there is."""

    def __init__(self, lake, seed):
        connection = open_lake(lake)
        column = lambda query: [value for (value,) in connection.execute(query).fetchall()]
        self.municipalities = column("SELECT komkod FROM address_versions WHERE komkod IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 25")
        self.statuses = column("SELECT status FROM person_versions WHERE status IS NOT NULL GROUP BY 1 ORDER BY 1")
        self.countries = column("SELECT landekod FROM citizenship_versions WHERE landekod IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 6")
        self.random = random.Random(seed)

    def ask(self):
        pick, chance = self.random.choice, lambda part: self.random.random() < part
        ages = None
        if chance(0.5):
            lowest = self.random.randrange(0, 90)
            ages = (lowest, lowest + self.random.randrange(0, 40))
        on = datetime.date(2026, 2, 28) - datetime.timedelta(days=self.random.randrange(0, 366 * 60))
        return {
            "municipality": pick(self.municipalities) if chance(0.6) else None,
            "status": pick(self.statuses) if chance(0.5) else None,
            "citizenship": pick(self.countries) if chance(0.4) else None,
            "ages": ages, "on": on,
        }


AGE = "((year(DATE '{0}') * 10000 + month(DATE '{0}') * 100 + day(DATE '{0}')) - (year(foed_dt) * 10000 + month(foed_dt) * 100 + day(foed_dt)))"


def condition(question, age):
    parts = [f"{name} = {question[key]}" for name, key in
             (("komkod", "municipality"), ("status", "status"), ("landekod", "citizenship")) if question[key] is not None]
    if question["ages"]:
        parts.append(age.format(question["on"], *question["ages"]))
    return " AND ".join(parts) or "true"


def find(replika, store, question):
    words = []
    for option, value in (("--municipality", question["municipality"]), ("--status", question["status"]), ("--citizenship", question["citizenship"])):
        if value is not None:
            words += [option, f"{value:04}" if option != "--status" else f"{value:02}"]
    if question["ages"]:
        words += ["--age", "{}-{}".format(*question["ages"]), "--on", question["on"].isoformat()]
    return json.loads(run(replika, "--store", store, "find", *words, "--count", "--json"))["count"]


def check_counts(lake, family, asked, answers_of, deliveries):
    connection = open_lake(lake)
    differ = hits = 0
    age = "foed_dt IS NOT NULL AND " + AGE + " BETWEEN {1} * 10000 AND {2} * 10000 + 9999"
    for known, question, count in asked:
        where = condition(question, age)
        found = connection.execute(f"SELECT count(*) FROM people_known({known}) WHERE {where}").fetchone()[0]
        differ, hits = differ + (found != count), hits + (count > 0)
    expect(differ == 0, f"{family}: {differ} of {len(asked)} counts differ from find")
    print(f"  {len(asked)} counts compared with find, {hits} of them of somebody")

    questions, rest = Questions(lake, 2), []
    for _ in range(200):
        question = questions.ask()
        rest.append((question, questions.random.randint(1, deliveries)))
    word = lambda value: "-" if value is None else str(value)
    lines = [" ".join([q["on"].strftime("%Y%m%d9999"), str(known), word(q["municipality"]), word(q["status"]), word(q["citizenship"]),
                       *map(word, q["ages"] or (None, None))]) for q, known in rest]
    counts = [int(line) for line in answers_of("counts", "\n".join(lines) + "\n").split()]
    differ = hits = 0
    for (question, known), count in zip(rest, counts, strict=True):
        where = condition(question, "age BETWEEN {1} AND {2}")
        query = f"SELECT count(*) FROM people_as_of(TIMESTAMP '{question['on']} 23:59:59.999999', {known}) WHERE {where}"
        found = connection.execute(query).fetchone()[0]
        differ, hits = differ + (found != count), hits + (count > 0)
    expect(differ == 0, f"{family}: {differ} of {len(rest)} counts as of (valid, known) differ from the engine's")
    print(f"  {len(rest)} counts as of (valid, known) compared with the engine, {hits} of them of somebody")


def files_of(lake):
    return {str(path.relative_to(lake)): path for path in lake.rglob("*") if path.is_file()}


def check_same(grown, at_once, family):
    one, other = files_of(grown), files_of(at_once)
    same = one.keys() == other.keys() and all(filecmp.cmp(one[name], other[name], shallow=False) for name in one)
    expect(same, f"{family}: the grown lake is another than the one written at once")
    print(f"  {len(one)} files, the same whether added night by night or written at once from packs")


def check_plain_reading(lake, family):
    """Files read as they are, by DuckDB and by DataFusion, and one question asked of both in plain SQL."""
    plain, context = duckdb.connect(), datafusion.SessionContext()
    tables = 0
    for folder in sorted({path.parent.parent for path in lake.rglob("*.parquet")}):
        count = plain.execute(f"SELECT count(*) FROM '{folder}/*/*.parquet'").fetchone()[0]
        name = f"t{tables}"
        context.register_parquet(name, str(folder))
        read = context.sql(f"SELECT count(*) AS n FROM {name}").to_pydict()["n"][0]
        expect(read == count, f"{family} {folder.relative_to(lake)}: DataFusion reads {read} rows, DuckDB {count}")
        tables += 1
    for side in ("opened", "closed"):
        context.register_parquet(side, str(lake / "address" / side))
    query = ("SELECT o.komkod, count(*) AS n FROM opened o LEFT JOIN closed c ON c.person = o.person AND c.known_from = o.known_from "
             "AND c.fact_number = o.fact_number WHERE o.known_from <= 2 AND (c.known_to IS NULL OR c.known_to > 2) AND o.mark IS NULL "
             "AND o.valid_from <= TIMESTAMP '2015-01-01 12:00:00' AND (o.valid_to IS NULL OR o.valid_to > TIMESTAMP '2015-01-01 12:00:00') GROUP BY 1")
    fusion = context.sql(query).to_pydict()
    duck = open_lake(lake).execute("SELECT komkod, count(*) FROM address_as_of(TIMESTAMP '2015-01-01 12:00:00', 2) GROUP BY 1").fetchall()
    expect(dict(zip(fusion["komkod"], fusion["n"])) == dict(duck), f"{family}: DataFusion and DuckDB count differently")
    print(f"  {tables} tables read without options by DuckDB {duckdb.__version__} and DataFusion {datafusion.__version__}")


def person_key(pnr):
    """The engine's key of a number, which would tell it."""
    d, month, year, serial = int(pnr[:2]), int(pnr[2:4]), int(pnr[4:6]), int(pnr[6:])
    slot = d * 2 if d < 32 else (d - 60) * 2 + 1
    seventh = serial // 1000
    century = 1900 if seventh < 4 else (1900 if year >= 37 else 2000) if seventh in (4, 9) else 1800 if year >= 58 else 2000
    return ((century + year - 1858) * 13 * 64 + month * 64 + slot) * 10000 + serial


def search(lake, secrets):
    """How many of the secrets stand in a column of any file, as a value or as a word of one."""
    connection, found = duckdb.connect(), set()
    for path in lake.rglob("*.parquet"):
        for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall():
            for (value,) in connection.execute(f'SELECT DISTINCT "{name}"::VARCHAR FROM \'{path}\' WHERE "{name}" IS NOT NULL').fetchall():
                found |= secrets & {value, value.strip(), value.zfill(10), *value.split()}
    return len(found)


def check_no_leak(replika, store, lake, answers, scratch, key, family):
    numbers, keys, names, addresses = set(), set(), set(), set()
    for line in answers:
        answer = json.loads(line)
        numbers.add(answer["pnr"])
        keys.add(str(person_key(answer["pnr"])))
        fields = answer.get("fact", {}).get("fields", {})
        for name, value in fields.items():
            if name in ("FORNVN", "EFTERNVN", "MELNVN", "ADRNVN", "AEGTENVN", "MORNVN", "FARNVN") and len(value) > 2:
                names |= {value, *(word for word in value.split() if len(word) > 2)}
            if name in ("STANDARDADR", "VEJADRNVN", "VEJNVN", "POSTDISTTXT", "UDLANDADR1", "CONVN", "ADRESSE_UUID") and len(value) > 3:
                addresses.add(value)
            if name.startswith(("PNR", "AEGTEPNR", "RELPNR")) and len(value) == 10 and value.strip("0"):
                numbers.add(value)
    planted = scratch / f"planted-{family}"
    profile = scratch / "planted.toml"
    profile.write_text((ROOT / "crates/cpr-lake/profiles/whole.toml").read_text().replace("pnr = false", "pnr = true").replace('"whole"', '"planted"'))
    run(replika, "--store", store, "lake", planted, "--profile", profile, "--pseudonym-key", key)
    for what, secrets in (("numbers", numbers), ("names", names), ("addresses", addresses)):
        expect(search(planted, secrets) > len(secrets) * 0.3, f"{family}: the search does not find {what} where they are")
        expect(search(lake, secrets) == 0, f"{family}: {what} stand in a lake of the default profile")
    expect(search(lake, keys) == 0, f"{family}: keys of persons stand in a lake of the default profile")
    print(f"  {len(numbers)} numbers, {len(names)} names, {len(addresses)} addresses: found where they are, none in the default profile")


def check_family(replika, engine_answers, family, scratch):
    print(f"{family}:", flush=True)
    extracts, store, packs = scratch / f"extracts-{family}", scratch / f"{family}.db", scratch / f"packs-{family}"
    key = scratch / "recipient.key"
    if not key.exists():
        key.touch(0o600)
        key.write_bytes(KEY)
    run(replika, "generate", "--persons", PERSONS, "--nights", NIGHTS, "--night-size", NIGHT_SIZE, "--family", family, "--out", extracts)
    whole, at_once, default = (scratch / f"{name}-{family}" for name in ("whole", "at-once", "default"))
    asked = []
    for number, extract in enumerate(sorted(extracts.iterdir()), 1):
        run(replika, "--store", store, "apply", extract, "--pack", packs)
        since = ["--since", number - 1] if number > 1 else []
        run(replika, "--store", store, "lake", whole, "--profile", "whole", "--pseudonym-key", key, *since)
        questions = Questions(whole, number)
        for _ in range(200 // (NIGHTS + 1)):
            question = questions.ask()
            asked.append((number, question, find(replika, store, question)))
    run(replika, "--pack", packs, "lake", at_once, "--profile", "whole", "--pseudonym-key", key)
    run(replika, "--store", store, "lake", default, "--pseudonym-key", key)
    answers_of = lambda what, text=None: run(engine_answers, store, what, text=text)
    history = answers_of("history").splitlines()
    check_same(whole, at_once, family)
    check_counts(whole, family, asked, answers_of, NIGHTS + 1)
    check_history(whole, history, family)
    check_plain_reading(whole, family)
    check_no_leak(replika, store, default, history, scratch, key, family)


def main():
    replika, engine_answers = (os.path.abspath(word) for word in sys.argv[1:3])
    families = sys.argv[3:] or ["std", "uuid", "2022", "full"]
    with tempfile.TemporaryDirectory() as scratch:
        for family in families:
            check_family(replika, engine_answers, family, Path(scratch))
    print(f"{len(families)} families, {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
