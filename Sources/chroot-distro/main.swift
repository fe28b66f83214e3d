import Libc
import Platform

exit(Program.main().code)
