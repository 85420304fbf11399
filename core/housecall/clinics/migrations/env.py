"""How Alembic runs here: one version table for each owner, and no cascades while SQLite rebuilds a table."""

from __future__ import annotations

from typing import Any

from alembic import context

attributes: dict[str, Any] = context.config.attributes


def mine(obj: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Only the owner's own tables; a reflected table without a model is not ours to touch."""
    table = other if reflected else obj
    return kind != "table" or (table is not None and table.info.get("owner", "core") == attributes["owner"])


with attributes["engine"].connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:  # before the transaction: inside one this pragma does nothing
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=attributes["metadata"],
        include_object=mine,
        version_table=attributes["version_table"],
        transaction_per_migration=True,
        render_as_batch=sqlite,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("a migration left dangling references: restore the backup")
    connection.commit()
