#!/usr/bin/env python3
"""Has Spark run the views of a lake and answer questions of docs/lake.md. By hand, where a JVM is there:

    apt-get install -y default-jre-headless
    python3 -m venv spark && spark/bin/pip install pyspark==4.3.0
    spark/bin/python .ci/lake/spark.py LAKE
"""

import os
import sys

from pyspark.sql import SparkSession

QUESTIONS = [
    "SELECT komkod, count(*) AS persons FROM people_as_of(TIMESTAMP_NTZ '2025-12-31 23:59:59', 6) "
    "WHERE komkod IS NOT NULL GROUP BY komkod ORDER BY persons DESC, komkod LIMIT 5",
    "SELECT count_if(NOT (a.komkod <=> b.komkod)) AS otherwise, count(*) AS persons "
    "FROM people_as_of(TIMESTAMP_NTZ '2026-01-04 23:59:59', 1) a "
    "JOIN people_as_of(TIMESTAMP_NTZ '2026-01-04 23:59:59', 6) b ON b.person = a.person",
    "SELECT p.age_group, count(DISTINCT p.person) AS mothers, round(count(*) / count(DISTINCT p.person), 2) AS children "
    "FROM child_now c JOIN people_as_of(TIMESTAMP_NTZ '2025-12-31 23:59:59', 6) p ON p.person = c.person "
    "WHERE p.koen = 'K' AND p.status < 30 GROUP BY p.age_group ORDER BY min(p.age)",
]


def main():
    lake = os.path.abspath(sys.argv[1])
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = session.config("spark.sql.shuffle.partitions", "4").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.sql(f"SET lake={lake}")
    with open(os.path.join(lake, "views.spark.sql"), encoding="utf-8") as views:
        text = "".join(line for line in views if not line.startswith("--"))
    for statement in text.split(";"):
        if statement.strip():
            spark.sql(statement)
    print(f"Spark {spark.version}")
    for question in QUESTIONS:
        spark.sql(question).show()


if __name__ == "__main__":
    main()
