// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/dlist.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { LINK_COUNT = 6 };

// The list holds exactly these links, in this order, and every neighbour agrees.
static bool holds(const mete_dlist_link_t *list, mete_dlist_link_t *const links[], size_t count)
{
    const mete_dlist_link_t *link = list;
    for (size_t i = 0U; i < count; i++) {
        if (!mete_dlist_agrees(link) || (link->next != links[i])) {
            return false;
        }
        link = link->next;
    }
    return mete_dlist_agrees(link) && (link->next == list) && (list->previous == link);
}

static void test_a_new_list_is_empty(void)
{
    mete_dlist_link_t list;
    mete_dlist_init(&list);
    EXPECT(mete_dlist_is_empty(&list) && holds(&list, NULL, 0U));
}

static void test_append_keeps_the_order(void)
{
    mete_dlist_link_t list, a, b, c;
    mete_dlist_init(&list);
    mete_dlist_append(&list, &a);
    EXPECT(!mete_dlist_is_empty(&list));
    mete_dlist_append(&list, &b);
    mete_dlist_append(&list, &c);
    mete_dlist_link_t *const order[] = {&a, &b, &c};
    EXPECT(holds(&list, order, 3U));
}

static void test_remove_takes_out_first_middle_last_and_only(void)
{
    mete_dlist_link_t list, a, b, c, d;
    mete_dlist_init(&list);
    mete_dlist_append(&list, &a);
    mete_dlist_append(&list, &b);
    mete_dlist_append(&list, &c);
    mete_dlist_append(&list, &d);
    mete_dlist_remove(&b);
    mete_dlist_link_t *const without_b[] = {&a, &c, &d};
    EXPECT(holds(&list, without_b, 3U));
    mete_dlist_remove(&d);
    EXPECT(holds(&list, without_b, 2U));
    mete_dlist_remove(&a);
    EXPECT(holds(&list, &without_b[1], 1U));
    mete_dlist_remove(&c);
    EXPECT(mete_dlist_is_empty(&list) && holds(&list, NULL, 0U));
}

static void test_agrees_sees_each_neighbour_that_does_not_point_back(void)
{
    mete_dlist_link_t list, a, b, other;
    mete_dlist_init(&list);
    mete_dlist_init(&other);
    mete_dlist_append(&list, &a);
    mete_dlist_append(&list, &b);
    EXPECT(mete_dlist_agrees(&a));
    b.previous = &other;
    EXPECT(!mete_dlist_agrees(&a));
    b.previous = &a;
    list.next = &other;
    EXPECT(!mete_dlist_agrees(&a) && mete_dlist_agrees(&b));
}

static void test_random_work_agrees_with_an_array(void)
{
    mete_dlist_link_t list;
    mete_dlist_link_t links[LINK_COUNT];
    mete_dlist_link_t *order[LINK_COUNT];
    size_t count = 0U;
    uint32_t random = 77U;
    mete_dlist_init(&list);
    for (size_t step = 0U; step < 5000U; step++) {
        mete_dlist_link_t *const link = &links[random_below(&random, LINK_COUNT)];
        size_t at = 0U;
        while ((at < count) && (order[at] != link)) {
            at++;
        }
        if (at == count) {
            mete_dlist_append(&list, link);
            order[count] = link;
            count++;
        } else {
            mete_dlist_remove(link);
            count--;
            for (size_t i = at; i < count; i++) {
                order[i] = order[i + 1U];
            }
        }
        EXPECT(holds(&list, order, count));
    }
}

int main(void)
{
    RUN(test_a_new_list_is_empty);
    RUN(test_append_keeps_the_order);
    RUN(test_remove_takes_out_first_middle_last_and_only);
    RUN(test_agrees_sees_each_neighbour_that_does_not_point_back);
    RUN(test_random_work_agrees_with_an_array);
    return tap_finish();
}
