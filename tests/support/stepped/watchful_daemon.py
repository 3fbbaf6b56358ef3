"""The daemon as people start it, only that it looks around more often, as days are short here."""

from exchanger.cli import main
from exchanger.service import daemon, prepared
from exchanger.service.looking import due_imports

daemon.LOOK_SECONDS = due_imports.GATHERED = due_imports.LOOKS_APART = 0.1
# A step of hours would cost it the process that it has prepared.
prepared.MANY, prepared.KEPT, prepared._LONGEST = 1, float("inf"), float("inf")

main()
