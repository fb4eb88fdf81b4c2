// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The driver of pages by itself; beside what plans say it is in mpu_posix.c. What rights a page has is read in /proc.

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

static size_t call_count;

static int count_mprotect(void *start, size_t size, int mode)
{
    call_count++;
    return mprotect(start, size, mode);
}

#define mprotect count_mprotect
#include "port/os/posix_mprotect.c"
#undef mprotect

#include "tests/support/tap.h"

enum { PAGE = 4096, PAGE_COUNT = 16, MANY = 40000 };
enum { NONE = 0, R = METE_ACCESS_READ, RW = R | METE_ACCESS_WRITE, RX = R | METE_ACCESS_EXECUTE };

static unsigned char arena[PAGE_COUNT * PAGE] __attribute__((aligned(PAGE)));
static mete_posix_mprotect_t unit;
static mete_mpu_t mpu;
static mete_mpu_image_t images[METE_POSIX_MPROTECT_REGION_MAX];

static void setup(void)
{
    mpu = mete_posix_mprotect_init(&unit, (mete_span_t){arena, sizeof arena});
}

static uintptr_t page(size_t n)
{
    return (uintptr_t)arena + n * PAGE;
}

static mete_mpu_image_t image(size_t first, size_t last, uintptr_t unprivileged,
                              uintptr_t privileged)
{
    return (mete_mpu_image_t){
        {page(first) | unprivileged | (privileged << METE_MPU_PAGES_PRIVILEGED_SHIFT),
         page(last) + PAGE - 1U}};
}

static void commit_images(size_t count, bool has_background)
{
    mpu.ops->commit(mpu.self, images, count, has_background);
}

// As mete_access_t, or 8 where nothing is mapped.
static uint32_t rights_at(uintptr_t address)
{
    FILE *const maps = fopen("/proc/self/maps", "re");
    char line[512];
    uint32_t rights = 8U;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start = 0UL;
        unsigned long end = 0UL;
        char mode[5] = "";
        // NOLINTNEXTLINE(bugprone-unchecked-string-to-number-conversion,cert-err34-c)
        const int found = sscanf(line, "%lx-%lx %4s", &start, &end, mode);
        if ((found == 3) && (address >= start) && (address < end)) {
            rights = ((mode[0] == 'r') ? 1U : 0U) | ((mode[1] == 'w') ? 2U : 0U) |
                     ((mode[2] == 'x') ? 4U : 0U);
        }
    }
    (void)fclose(maps);
    return rights;
}

// True if the pages from `first` to `last` all have these rights, and their neighbours have others.
static bool is_stretch(size_t first, size_t last, uint32_t rights)
{
    bool is_right = true;
    for (size_t n = first; n <= last; n++) {
        is_right = is_right && (rights_at(page(n)) == rights);
    }
    return is_right && ((first == 0U) || (rights_at(page(first - 1U)) != rights)) &&
           ((last + 1U == PAGE_COUNT) || (rights_at(page(last + 1U)) != rights));
}

static void test_an_arena_that_is_not_whole_pages_is_refused(void)
{
    static const struct {
        size_t offset, size;
    } wrong[] = {{1U, PAGE}, {0U, PAGE + 1U}, {0U, 0U}, {PAGE / 2U, PAGE / 2U}};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        mpu =
            mete_posix_mprotect_init(&unit, (mete_span_t){arena + wrong[i].offset, wrong[i].size});
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
        EXPECT(tap_fault_address == arena + wrong[i].offset);
        EXPECT(mete_mpu_region_count(mpu) == 0U);
    }
    mpu = mete_posix_mprotect_init(&unit, (mete_span_t){NULL, PAGE});
    EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (mete_mpu_region_count(mpu) == 0U));
    // Without an arena nothing is done, and nothing can go wrong.
    commit_images(0U, false);
    mete_mpu_enable(mpu);
    mete_posix_mprotect_set_privilege(&unit, METE_UNPRIVILEGED);
    EXPECT(rights_at(page(0U)) == RW);
}

static void test_an_arena_that_is_not_there_has_no_regions(void)
{
    const size_t size = (size_t)2 * PAGE;
    void *const gone = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT((gone != MAP_FAILED) && (munmap(gone, size) == 0));
    mpu = mete_posix_mprotect_init(&unit, (mete_span_t){gone, size});
    EXPECT((tap_take_fault() == 0) && (mete_mpu_region_count(mpu) == 0U));
    setup();
    EXPECT(mete_mpu_region_count(mpu) == 32U);
    EXPECT((mpu.ops->kind == METE_MPU_PAGES) && (mpu.self == &unit.unit));
}

#ifdef __linux__
static void test_a_process_in_which_reading_is_executing_has_no_regions(void)
{
    const int before = personality(0xFFFFFFFFUL);
    EXPECT(personality((unsigned long)before | READ_IMPLIES_EXEC) >= 0);
    setup();
    EXPECT(personality((unsigned long)before) >= 0);
    EXPECT((tap_take_fault() == 0) && (mete_mpu_region_count(mpu) == 0U));
}
#endif

static void test_without_regions_there_is_the_background(void)
{
    setup();
    mete_mpu_enable(mpu);
    EXPECT(is_stretch(0U, PAGE_COUNT - 1U, RW));
    mete_posix_mprotect_set_privilege(&unit, METE_UNPRIVILEGED);
    EXPECT(is_stretch(0U, PAGE_COUNT - 1U, NONE));
    mete_mpu_disable(mpu);
}

static void test_each_privilege_has_its_own_rights(void)
{
    setup();
    images[0] = image(8U, 9U, R, RW);
    images[1] = image(2U, 3U, RX, NONE);
    images[2] = image(4U, 4U, RW, RX);
    commit_images(3U, false);
    EXPECT(is_stretch(0U, PAGE_COUNT - 1U, RW));  // It is still off.
    mete_mpu_enable(mpu);
    EXPECT(is_stretch(8U, 9U, RW) && is_stretch(4U, 4U, RX) && is_stretch(0U, 3U, NONE));
    EXPECT(is_stretch(5U, 7U, NONE) && is_stretch(10U, 15U, NONE));
    mete_posix_mprotect_set_privilege(&unit, METE_UNPRIVILEGED);
    EXPECT(is_stretch(8U, 9U, R) && is_stretch(4U, 4U, RW) && is_stretch(2U, 3U, RX));
    EXPECT(is_stretch(0U, 1U, NONE) && is_stretch(5U, 7U, NONE) && is_stretch(10U, 15U, NONE));
    mete_mpu_disable(mpu);
    EXPECT(is_stretch(0U, PAGE_COUNT - 1U, RW));
    mete_posix_mprotect_set_privilege(&unit, METE_PRIVILEGED);
    EXPECT(is_stretch(0U, PAGE_COUNT - 1U, RW));
    mete_mpu_enable(mpu);
    EXPECT(is_stretch(8U, 9U, RW) && is_stretch(4U, 4U, RX));
    mete_mpu_disable(mpu);
}

static void test_a_background_is_for_privileged_code(void)
{
    setup();
    images[0] = image(0U, 0U, R, R);
    images[1] = image(15U, 15U, RX, RX);
    commit_images(2U, true);
    mete_mpu_enable(mpu);
    EXPECT(is_stretch(0U, 0U, R) && is_stretch(1U, 14U, RW) && is_stretch(15U, 15U, RX));
    mete_posix_mprotect_set_privilege(&unit, METE_UNPRIVILEGED);
    EXPECT(is_stretch(0U, 0U, R) && is_stretch(1U, 14U, NONE) && is_stretch(15U, 15U, RX));
    commit_images(0U, true);
    EXPECT(is_stretch(0U, 15U, NONE));
    mete_posix_mprotect_set_privilege(&unit, METE_PRIVILEGED);
    EXPECT(is_stretch(0U, 15U, RW));
    mete_mpu_disable(mpu);
}

static size_t calls_of_commit(size_t count)
{
    call_count = 0U;
    commit_images(count, true);
    return call_count;
}

static size_t calls_of_playing(mete_privilege_t privilege)
{
    call_count = 0U;
    mete_posix_mprotect_set_privilege(&unit, privilege);
    return call_count;
}

static void test_only_what_differs_is_changed(void)
{
    setup();
    EXPECT(call_count != 0U);
    images[0] = image(2U, 3U, R, R);
    images[1] = image(6U, 7U, R, RW);
    EXPECT((calls_of_commit(2U) == 0U) && (calls_of_playing(METE_UNPRIVILEGED) == 0U));
    EXPECT(calls_of_playing(METE_PRIVILEGED) == 0U);
    call_count = 0U;
    mete_mpu_enable(mpu);
    EXPECT(call_count == 1U);  // The other is what the background is.
    mete_mpu_enable(mpu);
    EXPECT((call_count == 1U) && (calls_of_commit(2U) == 0U));
    EXPECT(calls_of_playing(METE_UNPRIVILEGED) == 4U);  // Three gaps, and a region.
    EXPECT(calls_of_playing(METE_UNPRIVILEGED) == 0U);
    images[1] = image(7U, 8U, R, RW);
    EXPECT(calls_of_commit(2U) == 2U);
    EXPECT(is_stretch(2U, 3U, R) && is_stretch(4U, 6U, NONE) && is_stretch(7U, 8U, R));
    mete_mpu_disable(mpu);
    EXPECT(is_stretch(0U, PAGE_COUNT - 1U, RW));
}

static void test_the_images_may_be_written_over(void)
{
    setup();
    images[0] = image(1U, 1U, R, R);
    commit_images(1U, false);
    images[0] = image(5U, 6U, RX, RX);
    mete_mpu_enable(mpu);
    EXPECT(is_stretch(1U, 1U, R) && is_stretch(2U, 15U, NONE));
    commit_images(1U, false);
    EXPECT(is_stretch(0U, 4U, NONE) && is_stretch(5U, 6U, RX) && is_stretch(7U, 15U, NONE));
    mete_mpu_disable(mpu);
}

// The arena of the driver is in the middle of ours.
static void test_what_is_outside_is_passed_over_and_what_crosses_is_cut(void)
{
    mpu = mete_posix_mprotect_init(&unit, (mete_span_t){arena + 4 * PAGE, 8U * PAGE});
    images[0] = image(2U, 5U, R, R);
    images[1] = image(10U, 13U, RX, RX);
    images[2] = image(0U, 0U, NONE, NONE);
    images[3] = (mete_mpu_image_t){{0x1000U | R | (R << 3), 0x1FFFU}};
    images[4] = (mete_mpu_image_t){{UINTPTR_MAX - 4095U, UINTPTR_MAX}};
    commit_images(5U, false);
    mete_mpu_enable(mpu);
    EXPECT(is_stretch(0U, 3U, RW) && is_stretch(4U, 5U, R) && is_stretch(6U, 9U, NONE));
    EXPECT(is_stretch(10U, 11U, RX) && is_stretch(12U, 15U, RW));
    images[0] = image(0U, 15U, R, R);
    commit_images(1U, false);
    EXPECT(is_stretch(0U, 3U, RW) && is_stretch(4U, 11U, R) && is_stretch(12U, 15U, RW));
    mete_mpu_disable(mpu);
    EXPECT(is_stretch(0U, 15U, RW));
}

// Plans for pages do not overlap; who writes images by hand gets what the verdicts would say.
static void test_of_regions_that_overlap_the_first_decides(void)
{
    setup();
    images[0] = image(4U, 5U, R, R);
    images[1] = image(2U, 9U, RX, RX);
    images[2] = image(7U, 11U, NONE, NONE);
    commit_images(3U, true);
    mete_mpu_enable(mpu);
    EXPECT(is_stretch(0U, 1U, RW) && is_stretch(2U, 3U, RX) && is_stretch(4U, 5U, R));
    EXPECT(is_stretch(6U, 9U, RX) && is_stretch(10U, 11U, NONE) && is_stretch(12U, 15U, RW));
    mete_mpu_disable(mpu);
}

static void test_regions_for_smaller_pages_than_the_systems_are_refused(void)
{
    setup();
    unit.page_size = 2U * PAGE;
    const size_t odd = page(1U) / PAGE % 2U;
    images[0] = image(1U - odd, 2U - odd, R, R);
    mete_mpu_enable(mpu);
    commit_images(1U, false);
    EXPECT(tap_take_fault() == 0);
    const uint32_t before = rights_at(page(2U - odd));
    images[1] = image(3U - odd, 3U - odd, R, R);
    commit_images(2U, true);
    EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
    EXPECT((tap_fault_object == &unit) && (tap_fault_address == (void *)page(3U - odd)));
    images[1] = image(4U - odd, 4U - odd, R, R);
    commit_images(2U, true);
    EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
    EXPECT((before == R) && (rights_at(page(2U - odd)) == R));
    EXPECT((unit.state.image_count == 1U) && !unit.state.has_background);
    mete_mpu_disable(mpu);
}

// Takes all mappings there are, by pages that differ from their neighbours, and then protects.
static void exhaust_mappings(void)
{
    const size_t size = (size_t)2 * MANY * PAGE;
    unsigned char *const pages = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t count = 0U;
    while ((pages != MAP_FAILED) && (count < MANY) &&
           (mprotect(pages + 2U * count * PAGE, PAGE, PROT_NONE) == 0)) {
        count++;
    }
    if ((pages == MAP_FAILED) || (count == MANY)) {
        _exit(2);
    }
    (void)close(STDERR_FILENO);
    images[0] = image(3U, 3U, R, R);
    commit_images(1U, false);
    mete_mpu_enable(mpu);
    _exit(3);
}

static void test_who_cannot_be_protected_does_not_go_on(void)
{
    setup();
    const pid_t child = fork();
    if (child == 0) {
        exhaust_mappings();
    }
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFSIGNALED(status) && (WTERMSIG(status) == SIGABRT));
}

int main(void)
{
    RUN(test_an_arena_that_is_not_whole_pages_is_refused);
    RUN(test_an_arena_that_is_not_there_has_no_regions);
#ifdef __linux__
    RUN(test_a_process_in_which_reading_is_executing_has_no_regions);
#endif
    RUN(test_without_regions_there_is_the_background);
    RUN(test_each_privilege_has_its_own_rights);
    RUN(test_a_background_is_for_privileged_code);
    RUN(test_only_what_differs_is_changed);
    RUN(test_the_images_may_be_written_over);
    RUN(test_what_is_outside_is_passed_over_and_what_crosses_is_cut);
    RUN(test_of_regions_that_overlap_the_first_decides);
    RUN(test_regions_for_smaller_pages_than_the_systems_are_refused);
    RUN(test_who_cannot_be_protected_does_not_go_on);
    return tap_finish();
}
