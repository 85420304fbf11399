"""Housecall: self-hosted telemedicine."""
