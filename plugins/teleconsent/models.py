"""What lasts: the practice's own forms, each version for itself, and receipts of signed documents, without a name."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base


class Own(Base):
    """One version of a practice's own form. What was in use once is never changed: it may be signed."""

    __tablename__ = "teleconsent_own"
    __table_args__ = {"info": {"owner": "teleconsent"}}  # noqa: RUF012

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    ready: Mapped[bool]  #: whether it may be asked for; one of a PDF is not until its places are marked
    places: Mapped[list[Any]] = mapped_column(JSON)  #: where to sign on the pages of a PDF: [page, x, y], parts of it
    made_by: Mapped[str | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    made: Mapped[int] = mapped_column(BigInteger)  #: ms


class Page(Base):
    """A page of the PDF that a version was made of, as a picture."""

    __tablename__ = "teleconsent_page"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "version"], ["teleconsent_own.clinic_id", "teleconsent_own.version"], ondelete="CASCADE"
        ),
        {"info": {"owner": "teleconsent"}},
    )

    clinic_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  #: from 0
    width: Mapped[int]  #: pixels
    height: Mapped[int]
    png: Mapped[bytes] = mapped_column(LargeBinary)


class Receipt(Base):
    """That a document with this SHA-256 was signed here."""

    __tablename__ = "teleconsent_receipt"
    __table_args__ = {"info": {"owner": "teleconsent"}}  # noqa: RUF012

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    form: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(20))
    at: Mapped[int] = mapped_column(BigInteger)  #: ms
