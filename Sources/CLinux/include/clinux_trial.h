// Calls that find out whether the kernel knows a feature, and change nothing.
#ifndef CLINUX_TRIAL_H
#define CLINUX_TRIAL_H

/// seccomp(2) with a filter that is not there: EFAULT where filters are known, EINVAL or ENOSYS where they are not.
int cd_try_seccomp(void);

#endif
