"""What Alembic executes to migrate: over the connection that `store.migrate` has opened."""

from alembic import context

from iaiflow_lab.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction holds everything
)
context.run_migrations()
