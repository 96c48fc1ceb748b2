/* Bytes of a put become a frame, or a failure code. */
#ifndef PICTURE_H
#define PICTURE_H

#include "wire.h"

typedef struct {
    id_text panel;
    size_t frame_bytes;
    unsigned slots, window_bits;
} panel_model;

/* NULL where the picture is the one announced; else why not. Nothing of it is kept: these labels
 * know what they show by its digest. */
const char *judge_picture(const put_command *put, const panel_model *panel);

#endif
