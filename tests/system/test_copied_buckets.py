"""Files of which the ETag changed, and not the content: copied, encrypted anew, sent in parts."""

from __future__ import annotations

import pytest
from support.jobs import import_job

SET = import_job(fields={"tier": {"type": "string"}})
SUM = import_job(fields={"tier": {"type": "string"}, "spent": {"merge": "sum", "type": "integer"}})


def copy_again(exchange, *keys):
    """Upload objects once more in parts, in this order: their ETags are others then."""
    client, name = exchange.bucket._client, exchange.bucket.name
    for key in keys:
        body, before = exchange.bucket.read(key)
        begun = client.create_multipart_upload(Bucket=name, Key=key)
        place = {"Bucket": name, "Key": key, "UploadId": begun["UploadId"]}
        part = client.upload_part(**place, PartNumber=1, Body=body)
        parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
        client.complete_multipart_upload(**place, MultipartUpload=parts)
        assert before != exchange.bucket.read(key)[1]


@pytest.mark.nightly
@pytest.mark.parametrize("job", [SET, SUM])
def test_files_with_other_etags_and_the_same_content_are_the_same_files(exchange, job):
    """Nothing is given again, nobody has to decide, and later runs do not read them any more."""
    exchange.configure(crm=job)
    exchange.drop("inbox/1.csv", "id,tier,spent\na,old,1\n")
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", "id,tier,spent\na,new,2\n")
    exchange.ask("run", "crm")
    copy_again(exchange, "inbox/2.csv", "inbox/1.csv")
    assert not exchange.ask("plan", "crm")["report"].get("rows_read")
    report = exchange.ask("run", "crm")
    assert ["known", "known"] == [file["outcome"] for file in report["files"]]
    assert {2, 1} == {fact["run"] for file in report["files"] for fact in file["facts"]}
    assert 0 == report["requests"]
    assert '"new"' == exchange.attribute("a", "tier")
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert "taken" == exchange.ask("files", "inbox/1.csv")[0]["jobs"][0]["stand"]
    exchange.drop("inbox/1.csv", "id,tier,spent\na,old,1\n")
    assert ["known"] == [file["outcome"] for file in exchange.ask("run", "crm")["files"]]
    exchange.drop("inbox/3.csv", "id,tier,spent\na,newest,4\n")
    assert 1 == exchange.ask("run", "crm")["rows_applied"]


@pytest.mark.nightly
def test_a_version_between_makes_the_first_content_a_new_one(exchange):
    """A, then B, then A again are three versions: the last one says something new."""
    exchange.configure(crm=SET)
    for tier in ("old", "new", "old"):
        exchange.drop("inbox/1.csv", f"id,tier\na,{tier}\n")
        assert 1 == exchange.ask("run", "crm")["rows_applied"]
    assert '"old"' == exchange.attribute("a", "tier")


def test_what_a_person_dropped_stays_dropped(exchange):
    """Its copy is not applied; neither is a file that is left out for a guard's sake beside it."""
    exchange.configure(crm=SUM | {"guards": {"max_data_points": 1}})
    exchange.drop("inbox/1.csv", "id,tier,spent\na,old,1\n")
    exchange.ask("run", "crm", code=5)
    exchange.ask("discard", "1")
    copy_again(exchange, "inbox/1.csv")
    exchange.drop("inbox/2.csv", "id,tier,spent\nb,old,1\n")
    held = exchange.ask("run", "crm", code=5)
    assert ["guarded"] == [file["outcome"] for file in held["files"]]
    assert ["known"] == [file["outcome"] for file in exchange.ask("run", "crm")["files"]]
    assert [] == [*exchange.braze.users()]
    assert "dropped" == exchange.ask("files", "inbox/1.csv")[0]["jobs"][0]["stand"]


@pytest.mark.nightly
def test_what_braze_refused_of_a_copied_file_is_still_given_by_its_retry(exchange):
    """It is kept apart from the file, so its rows need not be read again; the others stay."""
    exchange.configure(crm=SET)
    told = {"type": "not today", "input_array": "attributes", "index": 0}
    body = {"message": "no", "errors": [told]}
    exchange.braze.faults("/users/track", status=400, body=body)
    exchange.drop("inbox/1.csv", "id,tier\na,old\nb,old\n")
    exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/2.csv", "id,tier\nb,new\n")
    exchange.ask("run", "crm")
    copy_again(exchange, "inbox/1.csv")
    assert ["known"] == [file["outcome"] for file in exchange.ask("run", "crm")["files"]]
    assert "exchanger retry 1" in exchange.ask("run", "crm")["notes"][0]
    assert 1 == exchange.ask("retry", "1")["rows_applied"]
    assert ['"old"', '"new"'] == [exchange.attribute(who, "tier") for who in "ab"]
    assert [] == exchange.ask("run", "crm")["notes"]
