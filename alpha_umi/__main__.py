"""`python -m alpha_umi` is the `alpha-umi` command (launchers start modules, not scripts)."""

from alpha_umi.cli import main

main()
