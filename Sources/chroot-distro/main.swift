import Libc

exit(Program.main().code)
