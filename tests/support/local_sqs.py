"""A local SQS in memory, over HTTP: moto's, in this process, so that its S3 can write to it."""

import threading

import boto3
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

HOST = "127.0.0.1"
REGION = "us-east-1"


class _Quietly(MotoRequestHandler):
    def log_request(self, *_, **__):
        """Log nothing."""


class LocalSqs:
    """An SQS server on the loopback interface; a context manager."""

    def __enter__(self):
        app = create_backend_app("sqs")
        self._server = make_server(HOST, 0, app, threaded=True, request_handler=_Quietly)
        self.url = f"http://{HOST}:{self._server.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        self.client = boto3.client(
            "sqs",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        get_backend("sqs").reset()

    def queue(self, name, visible_after=30, redrive_to=None, after=3):
        """Create a queue, and return its address."""
        attributes = {"VisibilityTimeout": str(visible_after)}
        if redrive_to:
            attributes["RedrivePolicy"] = (
                f'{{"deadLetterTargetArn": "{self.arn(redrive_to)}", "maxReceiveCount": {after}}}'
            )
        created = self.client.create_queue(QueueName=name, Attributes=attributes)
        return created["QueueUrl"]

    def arn(self, url):
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return found["Attributes"]["QueueArn"]

    def send(self, url, body):
        return self.client.send_message(QueueUrl=url, MessageBody=body)["MessageId"]

    def left(self, url):
        """Count the messages of a queue, those that are being worked on included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)
