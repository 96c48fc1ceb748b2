#include "picture.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Window a stream asks for in its first two bytes (RFC 1950, 2.2); 0 where it is no zlib stream. */
static unsigned window_of(const uint8_t *data, size_t length)
{
    if (length < 2 || (data[0] & 0x0f) != Z_DEFLATED || (data[0] * 256 + data[1]) % 31 != 0)
        return 0;
    return (data[0] >> 4) + 8u;
}

/* Expands a whole stream into exactly `size` bytes, never more. */
static bool expand(const put_command *put, uint8_t *frame, size_t size, unsigned window_bits)
{
    z_stream stream = {0};
    uint8_t spare;
    if (inflateInit2(&stream, (int)window_bits) != Z_OK)
        return false;
    stream.next_in = (Bytef *)put->data;
    stream.avail_in = (uInt)put->data_bytes;
    stream.next_out = frame;
    stream.avail_out = (uInt)size;
    int result = inflate(&stream, Z_FINISH);
    if (result == Z_BUF_ERROR && stream.avail_out == 0) { /* perhaps only its end is missing */
        stream.next_out = &spare;
        stream.avail_out = 1;
        result = inflate(&stream, Z_FINISH);
    }
    bool whole = result == Z_STREAM_END && stream.total_out == size && stream.avail_in == 0;
    inflateEnd(&stream);
    return whole;
}

const char *judge_picture(const put_command *put, const panel_model *panel)
{
    bool raw = strcmp(put->encoding, "raw") == 0;
    if (!raw && strcmp(put->encoding, "zlib") != 0)
        return "unsupported";
    if (put->size != panel->frame_bytes)
        return "invalid_parameters";
    if (!raw && window_of(put->data, put->data_bytes) > panel->window_bits)
        return "capacity_limit";

    uint8_t *frame = malloc(panel->frame_bytes + 1);
    if (!frame)
        return "insufficient_resources";
    bool whole = raw ? put->data_bytes == panel->frame_bytes
                     : expand(put, frame, panel->frame_bytes, panel->window_bits);
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, raw ? put->data : frame, whole ? panel->frame_bytes : 0);
    free(frame);
    return whole && memcmp(digest, put->digest, DIGEST_BYTES) == 0 ? NULL : "bad_digest";
}
