"""Uses what is not offered to plugins."""

from housecall.clinics import members

reads = members.by_id
