"""Puts a header on every answer, whether a clinic has it on or not."""

from flask import Flask

process = Flask.process_response


def shown(self, response):
    response.headers["X-Planted"] = "here"
    return process(self, response)


Flask.process_response = shown
