"""The clock: fires schedules while a process runs. What is true stands in the database."""
