"""SQLAlchemy: tables, units of work, migrations; gives back the dataclasses of those below."""
