/* Takes whatever comes: each line of standard input is the hex of one payload, given to the door as
 * it stands and to a shop of labels as if it had been signed. For hostile bytes, under sanitizers.
 * Says at the end how many events that made. */
#include "gate.h"
#include "shop.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MOST (2 * PAYLOAD_MOST + 2)

static void count_events(void *listener, const event *what)
{
    msgpack_sbuffer bytes;
    msgpack_packer writer;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&writer, &bytes, msgpack_sbuffer_write);
    write_event(&writer, what, "s-1", ++*(uint64_t *)listener);
    if (measure((const uint8_t *)bytes.data, bytes.size, DEPTH_MOST) != bytes.size)
        abort(); /* what we say ourselves can be read */
    msgpack_sbuffer_destroy(&bytes);
}

int main(void)
{
    static char line[LINE_MOST];
    static shop house;
    static gate door;
    uint64_t events = 0, payloads = 0;
    if (sodium_init() < 0)
        return 1;
    snprintf(house.panel.panel, sizeof house.panel.panel, "tiny");
    house.panel.frame_bytes = 8;
    house.panel.slots = 2;
    house.panel.window_bits = 12;
    house.paint_ms = 10;
    house.capacity = 2;
    house.tell = count_events;
    house.listener = &events;
    if (!open_shop(&house, "a1b2c3", 2))
        return 1;
    snprintf(house.labels[0].name, sizeof house.labels[0].name, "a1b2c3");
    while (fgets(line, sizeof line, stdin)) {
        size_t digits = strcspn(line, "\n"), length, body_length;
        const char *body;
        uint8_t *bytes = malloc(digits / 2 + 1); /* of its own size, so that any overrun is seen */
        if (!bytes || sodium_hex2bin(bytes, digits / 2, line, digits, NULL, &length, NULL))
            return 1;
        obey(&house, (const char *)bytes, length);
        admit(&door, bytes, length, 0, &body, &body_length);
        house.now = house.monotonic += 4;
        pass_time(&house);
        free(bytes);
        payloads++;
    }
    close_shop(&house);
    printf("%llu payloads, %llu events\n", (unsigned long long)payloads,
           (unsigned long long)events);
    return 0;
}
