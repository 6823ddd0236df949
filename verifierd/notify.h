/* notify.h - tells the service manager how things are (sd_notify(3)), without its library. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* "READY=1", "STOPPING=1", "RELOADING=1"; nothing happens when nobody wants to know. */
void notify(const char *what);
#endif
