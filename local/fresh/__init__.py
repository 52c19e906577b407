"""`make fresh`: the README's commands on a Debian that has nothing but its base, python3 and make."""
