"""The command line of `bench/accounts`."""

from . import accounts_report, machine, million, parts, storm

PARTS = {"logins": storm, "million": million}


def main():
    parser = parts.parser("accounts", __doc__, PARTS, "few accounts, few calls")
    args = parts.arguments(parser, PARTS)
    machine.install_missing(["openssh", *(["postgresql"] if "million" in args.parts else [])])

    def measure(site, part):
        module = PARTS[part]
        return module.run(site, module.QUICK if args.quick else module.FULL, parts.say)

    parts.run(args, "accounts", measure, accounts_report.render, complaints=accounts_report.complaints)
    return 0
