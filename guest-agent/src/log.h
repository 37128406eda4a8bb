/* One line at a time to the kernel log (as PID 1) or to standard error (as a local process). */
#ifndef PYRO_LOG_H
#define PYRO_LOG_H

void log_init_console(void);
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);
/* Says why on the console and ends: power off as PID 1, exit 1 as a local process. */
__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...);

#endif
