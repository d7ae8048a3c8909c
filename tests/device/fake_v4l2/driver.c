/* A video device that is not there: answers open, ioctl and mmap for it as the kernel does.
 *
 * Loaded before libc (LD_PRELOAD). Structures and numbers are those of the kernel's own header. A file named video* below
 * the folder FAKE_V4L2 is a device: video1 a camera's metadata, video2 a raw sensor, video3 one with planes, all others
 * the camera.
 * What is opened is one end of a pair of sockets, which can be waited for, closed and duplicated like a device; a
 * thread at the other end is the driver, and learns from it that the device was closed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_BUFFERS 8
#define MAX_OPEN 64
#define PAGE 4096u

enum { CLOSED, OPEN, GONE };

struct device {
	int open, streaming, ours, kind;
	ino_t inode;
	struct v4l2_pix_format format;
	struct v4l2_fract interval;
	struct v4l2_buffer buffers[MAX_BUFFERS];
	int memory[MAX_BUFFERS];
	unsigned char *mapped[MAX_BUFFERS];
	unsigned count, length;
	unsigned opening;
	int queued[MAX_BUFFERS], queued_count, done[MAX_BUFFERS], done_count;
	pthread_t thread;
};

static struct device devices[MAX_OPEN];
static unsigned openings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char jpeg[1 << 20];
static size_t jpeg_bytes;

/* What a test may set and read by name. */
static struct { const char *name; long value; } switches[] = {
	{"unplugged"}, {"stalled"}, {"broken"}, {"half"}, {"gap"}, {"insists_on_vga"}, {"no_rate"}, {"other_clock"},
	{"no_stamp"}, {"always_zero"}, {"padding"}, {"slow_ioctl_ms"}, {"broken_contrast"}, {"stepwise"}, 
	{"stopped"}, {"foreign"}, {"iris"}, {"usb_full"}, {"of_others"}, {"rate_hz"},
};

static long *sw(const char *name)
{
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
		if (!strcmp(switches[i].name, name))
			return &switches[i].value;
	fprintf(stderr, "fake_v4l2: no switch %s\n", name);
	abort();
}

struct control { struct v4l2_queryctrl about; int value; };

static struct control controls[] = {
	{{V4L2_CID_EXPOSURE_AUTO, V4L2_CTRL_TYPE_MENU, "Auto Exposure", 0, 3, 1, 3}},
	{{V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CTRL_TYPE_INTEGER, "Exposure Time, Absolute", 3, 2047, 1, 250}},
	{{V4L2_CID_GAIN, V4L2_CTRL_TYPE_INTEGER, "Gain", 0, 255, 1, 64}},
	{{V4L2_CID_AUTO_WHITE_BALANCE, V4L2_CTRL_TYPE_BOOLEAN, "White Balance, Automatic", 0, 1, 1, 1}},
	{{V4L2_CID_WHITE_BALANCE_TEMPERATURE, V4L2_CTRL_TYPE_INTEGER, "White Balance", 2800, 6500, 10, 4600}},
	{{V4L2_CID_BRIGHTNESS, V4L2_CTRL_TYPE_INTEGER, "Brightness", -64, 64, 8, 0}},
	{{V4L2_CID_CONTRAST, V4L2_CTRL_TYPE_INTEGER, "Contrast", 0, 95, 1, 32}},
	{{V4L2_CID_SATURATION, V4L2_CTRL_TYPE_INTEGER, "Saturation", 0, 100, 1, 50, V4L2_CTRL_FLAG_GRABBED}},
	{{V4L2_CID_SHARPNESS, V4L2_CTRL_TYPE_INTEGER, "Sharpness", 1, 7, 1, 2, V4L2_CTRL_FLAG_READ_ONLY}},
	{{V4L2_CID_HUE, V4L2_CTRL_TYPE_INTEGER, "Hue", -180, 180, 1, 0, V4L2_CTRL_FLAG_DISABLED}},
	{{V4L2_CID_ZOOM_ABSOLUTE, V4L2_CTRL_TYPE_INTEGER, "Zoom", 0, 10, 1, 0, V4L2_CTRL_FLAG_WRITE_ONLY}},
	{{V4L2_CID_GAMMA, V4L2_CTRL_TYPE_INTEGER, "Gamma", 100, 100, 1, 100}},
};

static struct control *control(unsigned id)
{
	for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
		if (controls[i].about.id == id)
			return &controls[i];
	return NULL;
}

/* For the tests. */
void fake_set(const char *name, long value) { *sw(name) = value; }
long fake_get(const char *name) { return *sw(name); }
int fake_control(unsigned id) { return control(id)->value; }
void fake_jpeg(const void *data, size_t bytes) { memcpy(jpeg, data, jpeg_bytes = bytes); }

void fake_reset(void)
{
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
		switches[i].value = 0;
	for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
		controls[i].value = controls[i].about.default_value;
}

static int was_closed(const struct device *d)
{
	struct pollfd end = {d->ours, POLLIN, 0};
	return poll(&end, 1, 0) != 0;
}

static void forget(struct device *d)
{
	if (d->open == OPEN)
		close(d->ours);
	for (unsigned i = 0; i < d->count; i++)
		close(d->memory[i]), munmap(d->mapped[i], d->length);
	d->count = d->streaming = 0;
	d->open = CLOSED;
}

/* How many devices stream: a program that forgot to close one leaves it so. */
int fake_streaming(void)
{
	int count = 0;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < MAX_OPEN; i++) {
		if (devices[i].open == OPEN && was_closed(&devices[i]))
			forget(&devices[i]);
		count += devices[i].open == OPEN && devices[i].streaming;
	}
	pthread_mutex_unlock(&lock);
	return count;
}

static const struct { unsigned pixels, width, height, hz[3]; } offers[] = {
	{V4L2_PIX_FMT_YUYV, 640, 480, {30, 15}}, {V4L2_PIX_FMT_YUYV, 160, 120, {500, 30}},
	{V4L2_PIX_FMT_YUYV, 1280, 720, {10, 5}}, {V4L2_PIX_FMT_MJPEG, 640, 480, {60, 30, 15}},
	{V4L2_PIX_FMT_MJPEG, 1280, 720, {30}}, {V4L2_PIX_FMT_MJPEG, 1920, 1080, {30}},
	{V4L2_PIX_FMT_MJPEG, 160, 120, {500, 30}},
};
#define OFFERS (sizeof offers / sizeof *offers)

static void set_format(struct device *d, struct v4l2_pix_format *asked)
{
	unsigned best = 0, least = ~0u;
	for (unsigned i = 0; i < OFFERS; i++) {
		unsigned far = abs((int)offers[i].width - (int)asked->width) + abs((int)offers[i].height - (int)asked->height);
		far += 100000u * (offers[i].pixels != asked->pixelformat);
		if (far < least)
			least = far, best = i;
	}
	asked->pixelformat = offers[best].pixels;
	asked->width = *sw("stepwise") ? asked->width : *sw("insists_on_vga") ? 640 : offers[best].width;
	asked->height = *sw("stepwise") ? asked->height : *sw("insists_on_vga") ? 480 : offers[best].height;
	if (d->kind == 2)
		asked->pixelformat = V4L2_PIX_FMT_SRGGB10;
	if (*sw("foreign"))
		asked->pixelformat = V4L2_PIX_FMT_H264;
	int packed = asked->pixelformat == V4L2_PIX_FMT_YUYV;
	asked->bytesperline = packed ? 2 * asked->width + *sw("padding") : 0;
	asked->sizeimage = packed ? asked->bytesperline * asked->height : 2 * asked->width * asked->height;
	asked->field = V4L2_FIELD_NONE;
	d->format = *asked;
	d->interval = (struct v4l2_fract){1, offers[best].hz[0]};
}

/* Cameras with an iris have the other two modes. */
static int on_menu(int mode)
{
	int of_iris = mode == V4L2_EXPOSURE_AUTO || mode == V4L2_EXPOSURE_SHUTTER_PRIORITY;
	return of_iris == !!*sw("iris");
}

static int exposure_is_automatic(void)
{
	int mode = control(V4L2_CID_EXPOSURE_AUTO)->value;
	return mode == V4L2_EXPOSURE_APERTURE_PRIORITY || mode == V4L2_EXPOSURE_AUTO;
}

static unsigned flags_now(const struct control *c)
{
	int automatic = c->about.id == V4L2_CID_EXPOSURE_ABSOLUTE ? exposure_is_automatic()
		: c->about.id == V4L2_CID_WHITE_BALANCE_TEMPERATURE ? control(V4L2_CID_AUTO_WHITE_BALANCE)->value : 0;
	return c->about.flags | (automatic ? V4L2_CTRL_FLAG_INACTIVE : 0);
}

/* A picture: brighter with the exposure time, a step from left to right that moves with the number. */
static unsigned fill(struct device *d, int index, unsigned number)
{
	unsigned char *to = d->mapped[index];
	if (d->format.pixelformat != V4L2_PIX_FMT_YUYV) {
		memcpy(to, jpeg, jpeg_bytes);
		return jpeg_bytes;
	}
	int light = 16 + control(V4L2_CID_EXPOSURE_ABSOLUTE)->value * 219 / 2047;
	for (unsigned y = 0; y < d->format.height; y++)
		for (unsigned x = 0; x < d->format.width; x++) {
			unsigned char *at = to + y * d->format.bytesperline + 2 * x;
			at[0] = x < number % d->format.width ? light : light / 2;
			at[1] = 128;
		}
	return d->format.sizeimage;
}

static struct timeval first_stamp;

static void stamp(struct v4l2_buffer *buffer)
{
	struct timespec now;
	clock_gettime(*sw("other_clock") ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
	buffer->timestamp = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	buffer->flags = *sw("no_stamp") ? V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN : V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	if (*sw("no_stamp"))
		buffer->timestamp = first_stamp;
	else
		first_stamp = buffer->timestamp;
}

static void deliver(struct device *d, unsigned number)
{
	if (*sw("stalled") || !d->queued_count)
		return;
	int index = d->queued[0];
	memmove(d->queued, d->queued + 1, sizeof(int) * --d->queued_count);
	struct v4l2_buffer *buffer = &d->buffers[index];
	buffer->bytesused = fill(d, index, number);
	buffer->sequence = *sw("always_zero") ? 0 : number;
	stamp(buffer);
	if (*sw("broken") > 0)
		--*sw("broken"), buffer->flags |= V4L2_BUF_FLAG_ERROR;
	if (*sw("half") > 0)
		--*sw("half"), buffer->bytesused /= 2;
	d->done[d->done_count++] = index;
	send(d->ours, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void *drive(void *argument)
{
	struct device *d = argument;
	unsigned opening = d->opening;
	for (unsigned number = 0;; number++) {
		long long pause = 1000000000LL * d->interval.numerator / d->interval.denominator;
		nanosleep(&(struct timespec){pause / 1000000000, pause % 1000000000}, NULL);
		pthread_mutex_lock(&lock);
		/* What lies here may be another device by now. */
		if (d->opening != opening || !d->streaming || was_closed(d)) {
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		if (*sw("unplugged") || *sw("stopped")) {
			forget(d);
			d->open = GONE;
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		number += *sw("gap"), *sw("gap") = 0;
		deliver(d, number);
		pthread_mutex_unlock(&lock);
	}
}

static int reserve(struct device *d, struct v4l2_requestbuffers *asked)
{
	asked->count = asked->count > MAX_BUFFERS ? MAX_BUFFERS : asked->count;
	d->length = (d->format.sizeimage + PAGE - 1) / PAGE * PAGE;
	for (d->count = 0; d->count < asked->count; d->count++) {
		int memory = d->memory[d->count] = memfd_create("fake_v4l2", MFD_CLOEXEC);
		if (ftruncate(memory, d->length))
			return ENOMEM;
		void *mapped = (void *)syscall(SYS_mmap, NULL, d->length, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0L);
		d->mapped[d->count] = mapped;
		d->buffers[d->count] = (struct v4l2_buffer){.index = d->count, .type = asked->type, .memory = asked->memory,
			.length = d->length, .m.offset = d->count * d->length};
	}
	return 0;
}

static int busy(const struct device *asking)
{
	for (int i = 0; i < MAX_OPEN; i++)
		if (&devices[i] != asking && devices[i].open == OPEN && devices[i].kind == asking->kind && devices[i].count
		    && !was_closed(&devices[i]))
			return 1;
	return 0;
}

static int describe(const struct device *d, struct v4l2_capability *told)
{
	static const unsigned able[] = {V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_META_CAPTURE, V4L2_CAP_VIDEO_CAPTURE,
		V4L2_CAP_VIDEO_CAPTURE_MPLANE};
	memset(told, 0, sizeof *told);
	strcpy((char *)told->driver, "uvcvideo");
	strcpy((char *)told->card, "Fake Microscope: Fake Microscope");
	told->device_caps = able[d->kind] | V4L2_CAP_STREAMING | V4L2_CAP_EXT_PIX_FORMAT;
	/* All that the driver's devices can do together, as uvcvideo tells it. */
	told->capabilities = told->device_caps | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_META_CAPTURE | V4L2_CAP_DEVICE_CAPS;
	return 0;
}

static int list_format(const struct device *d, struct v4l2_fmtdesc *told)
{
	static const unsigned formats[] = {V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_H264};
	if (told->index >= (d->kind == 2 ? 1 : 3))
		return EINVAL;
	told->pixelformat = d->kind == 2 ? V4L2_PIX_FMT_SRGGB10 : formats[told->index];
	return 0;
}

static int list_size(struct v4l2_frmsizeenum *told)
{
	unsigned index = told->index;
	if (*sw("stepwise")) {
		told->type = V4L2_FRMSIZE_TYPE_STEPWISE;
		told->stepwise = (struct v4l2_frmsize_stepwise){32, 1920, 16, 32, 1080, 8};
		return index ? EINVAL : 0;
	}
	for (unsigned i = 0; i < OFFERS; i++)
		if (offers[i].pixels == told->pixel_format && index-- == 0) {
			told->type = V4L2_FRMSIZE_TYPE_DISCRETE;
			told->discrete = (struct v4l2_frmsize_discrete){offers[i].width, offers[i].height};
			return 0;
		}
	return EINVAL;
}

static int list_interval(struct v4l2_frmivalenum *told)
{
	for (unsigned i = 0; i < OFFERS; i++)
		if (offers[i].pixels == told->pixel_format && offers[i].width == told->width && offers[i].height == told->height) {
			if (told->index > 2 || !offers[i].hz[told->index])
				return EINVAL;
			told->type = V4L2_FRMIVAL_TYPE_DISCRETE;
			told->discrete = (struct v4l2_fract){1, offers[i].hz[told->index]};
			return 0;
		}
	return EINVAL;
}

static int set_rate(struct device *d, struct v4l2_streamparm *asked)
{
	if (*sw("no_rate"))
		return ENOTTY;
	double wanted = (double)asked->parm.capture.timeperframe.denominator / asked->parm.capture.timeperframe.numerator;
	double nearest = 0;
	for (unsigned i = 0; i < OFFERS; i++)
		for (unsigned k = 0; k < 3; k++)
			if (offers[i].pixels == d->format.pixelformat && offers[i].width == d->format.width && offers[i].hz[k]
			    && (!nearest || abs((int)(offers[i].hz[k] - wanted)) < abs((int)(nearest - wanted))))
				nearest = offers[i].hz[k];
	d->interval = (struct v4l2_fract){1, nearest ? nearest : wanted};
	asked->parm.capture.timeperframe = d->interval;
	*sw("rate_hz") = d->interval.denominator;
	return 0;
}

static int queue(struct device *d, const struct v4l2_buffer *given)
{
	if (given->index >= d->count || given->memory != V4L2_MEMORY_MMAP)
		return EINVAL;
	for (int i = 0; i < d->queued_count; i++)
		if (d->queued[i] == (int)given->index)
			return EINVAL;
	d->queued[d->queued_count++] = given->index;
	return 0;
}

static int dequeue(struct device *d, struct v4l2_buffer *taken)
{
	if (!d->streaming)
		return EINVAL;
	if (!d->done_count)
		return EAGAIN;
	*taken = d->buffers[d->done[0]];
	memmove(d->done, d->done + 1, sizeof(int) * --d->done_count);
	return 0;
}

static int write_control(struct v4l2_control *asked)
{
	struct control *c = control(asked->id);
	if (!c || c->about.flags & V4L2_CTRL_FLAG_DISABLED)
		return EINVAL;
	if (c->about.flags & V4L2_CTRL_FLAG_READ_ONLY)
		return EACCES;
	if (c->about.flags & V4L2_CTRL_FLAG_GRABBED)
		return EBUSY;
	if (flags_now(c) & V4L2_CTRL_FLAG_INACTIVE)
		return EACCES;
	if (asked->value < c->about.minimum || asked->value > c->about.maximum)
		return ERANGE;
	if (c->about.id == V4L2_CID_EXPOSURE_AUTO && !on_menu(asked->value))
		return EINVAL;
	c->value = asked->value;
	return 0;
}

static int read_control(struct v4l2_control *asked)
{
	struct control *c = control(asked->id);
	if (!c || c->about.flags & (V4L2_CTRL_FLAG_DISABLED))
		return EINVAL;
	if (c->about.flags & V4L2_CTRL_FLAG_WRITE_ONLY)
		return EACCES;
	if (c->about.id == V4L2_CID_CONTRAST && *sw("broken_contrast"))
		return EIO;
	asked->value = c->value;
	return 0;
}

static int answer(struct device *d, unsigned long request, void *argument)
{
	struct v4l2_format *format = argument;
	struct v4l2_buffer *buffer = argument;
	struct v4l2_queryctrl *query = argument;
	struct v4l2_querymenu *menu = argument;
	struct control *c;

	if (*sw("unplugged") || d->open == GONE)
		return *sw("stopped") ? EIO : ENODEV;
	switch ((unsigned)request) {
	case VIDIOC_QUERYCAP: return describe(d, argument);
	case VIDIOC_ENUM_FMT: return list_format(d, argument);
	case VIDIOC_ENUM_FRAMESIZES: return list_size(argument);
	case VIDIOC_ENUM_FRAMEINTERVALS: return list_interval(argument);
	case VIDIOC_G_FMT: format->fmt.pix = d->format; return 0;
	case VIDIOC_S_FMT:
		if (busy(d) || d->count)
			return EBUSY;
		set_format(d, &format->fmt.pix);
		return 0;
	case VIDIOC_S_PARM: return set_rate(d, argument);
	case VIDIOC_REQBUFS: return busy(d) ? EBUSY : reserve(d, argument);
	case VIDIOC_QUERYBUF:
		if (buffer->index >= d->count)
			return EINVAL;
		*buffer = d->buffers[buffer->index];
		return 0;
	case VIDIOC_QBUF: return queue(d, argument);
	case VIDIOC_DQBUF: return dequeue(d, argument);
	case VIDIOC_STREAMON:
		if (*sw("usb_full"))
			return ENOSPC;
		d->streaming = 1;
		return pthread_create(&d->thread, NULL, drive, d) || pthread_detach(d->thread);
	case VIDIOC_STREAMOFF: d->streaming = 0; d->queued_count = d->done_count = 0; return 0;
	case VIDIOC_QUERYCTRL:
		if (!(c = control(query->id)))
			return EINVAL;
		*query = c->about;
		query->flags = flags_now(c);
		return 0;
	case VIDIOC_QUERYMENU:
		return menu->id == V4L2_CID_EXPOSURE_AUTO && on_menu(menu->index) ? 0 : EINVAL;
	case VIDIOC_G_CTRL: return read_control(argument);
	case VIDIOC_S_CTRL: return write_control(argument);
	default: return ENOTTY;
	}
}

/* Found by what it is, not by its number: the same device may be open under several. */
static struct device *ours(int fd)
{
	struct stat about;
	if (fd < 0 || syscall(SYS_fstat, fd, &about) || !S_ISSOCK(about.st_mode))
		return NULL;
	for (int i = 0; i < MAX_OPEN; i++)
		if (devices[i].open && devices[i].inode == about.st_ino)
			return &devices[i];
	return NULL;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	pthread_mutex_lock(&lock);
	struct device *d = ours(fd);
	if (!d) {
		pthread_mutex_unlock(&lock);
		return syscall(SYS_ioctl, fd, request, argument);
	}
	long slow_ms = *sw("slow_ioctl_ms");
	if (slow_ms && (unsigned)request == VIDIOC_DQBUF) {
		pthread_mutex_unlock(&lock);
		usleep(1000 * slow_ms);
		pthread_mutex_lock(&lock);
	}
	char byte;
	int failed = answer(d, request, argument);
	if (!failed && (unsigned)request == VIDIOC_DQBUF && recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
		failed = EIO;
	pthread_mutex_unlock(&lock);
	if (failed)
		errno = failed;
	return failed ? -1 : 0;
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	struct device *d = fd < 0 ? NULL : ours(fd);
	if (d) {
		if (offset % d->length || offset / d->length >= d->count || length > d->length) {
			errno = EINVAL;
			return MAP_FAILED;
		}
		fd = d->memory[offset / d->length];
		offset = 0;
	}
	return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, length, protection, flags, fd, offset);
}

static int open_fake(int kind)
{
	int ends[2];
	struct stat about;
	if (*sw("unplugged") || *sw("of_others")) {
		errno = *sw("unplugged") ? ENODEV : EACCES;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	syscall(SYS_fstat, ends[0], &about);
	pthread_mutex_lock(&lock);
	++openings;
	for (int i = 0; i < MAX_OPEN; i++) {
		if (devices[i].open == OPEN && was_closed(&devices[i]))
			forget(&devices[i]);
		if (devices[i].open != CLOSED)
			continue;
		devices[i] = (struct device){.open = OPEN, .ours = ends[1], .kind = kind, .inode = about.st_ino,
			.opening = openings};
		struct v4l2_pix_format first = {.width = 640, .height = 480, .pixelformat = V4L2_PIX_FMT_YUYV};
		set_format(&devices[i], &first);
		pthread_mutex_unlock(&lock);
		return ends[0];
	}
	fprintf(stderr, "fake_v4l2: too many devices are open\n");
	abort();
}

static int open_any(const char *path, int flags, mode_t mode)
{
	const char *folder = getenv("FAKE_V4L2");
	char real[PATH_MAX];
	size_t length = folder ? strlen(folder) : 0;
	if (length && !strncmp(path, folder, length) && realpath(path, real)) {
		const char *name = strrchr(real, '/') + 1;
		if (!strncmp(name, "video", 5))
			return open_fake(name[5] >= '1' && name[5] <= '3' ? name[5] - '0' : 0);
	}
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	va_end(rest);
	return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	va_end(rest);
	return open_any(path, flags, mode);
}
