// SPDX-License-Identifier: MIT OR Apache-2.0
//
// C++ because the TOML library is.

#include "tools/lib/notes.h"

#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace
{

using texts_t = std::vector<const char *>;

struct damage : std::runtime_error {
    damage(const toml::source_region &where, const std::string &text)
        : std::runtime_error(text), line(where.begin.line)
    {
    }
    uint32_t line;
};

}  // namespace

struct notes {
    std::deque<std::string> kept;  // All text that items point at.
    std::deque<texts_t> lists;
    std::vector<note_t> items;
    std::deque<note_allocator_t> allocators;
    std::map<std::string, texts_t> parts;
    std::vector<std::pair<const char *, const char *>> defaults;  // Function, case.
    std::map<std::string, uint64_t> parameters;
    std::map<std::string, uint64_t> set;  // From outside: stronger.

    const char *keep(const std::string &text)
    {
        kept.push_back(text);
        return kept.back().c_str();
    }
};

namespace
{

std::string found_of(const toml::node &node)
{
    if (const auto text = node.value<std::string>(); text && node.is_string()) {
        return "'" + *text + "'";
    }
    if (const auto number = node.value<int64_t>(); number && node.is_integer()) {
        return std::to_string(*number);
    }
    return node.is_table() ? "a table" : node.is_array() ? "an array" : "something else";
}

std::string text_of(const toml::node &node, const char *key)
{
    const auto text = node.value<std::string>();
    if (!node.is_string() || text->empty()) {
        throw damage(node.source(),
                     std::string(key) + ": found " + found_of(node) + ", expected a text");
    }
    return *text;
}

std::string required(const toml::table &table, const char *kind, const char *key)
{
    const toml::node *const node = table.get(key);
    if (node == nullptr) {
        throw damage(table.source(),
                     std::string("found a [[") + kind + "]] without '" + key + "', expected one");
    }
    return text_of(*node, key);
}

const char *const *list_of(notes &notes, const toml::table &table, const char *kind,
                           const char *key, bool is_required)
{
    texts_t list;
    const toml::node *const node = table.get(key);
    if ((node == nullptr) && is_required) {
        throw damage(table.source(),
                     std::string("found a [[") + kind + "]] without '" + key + "', expected one");
    }
    if ((node != nullptr) && !node->is_array()) {
        throw damage(node->source(),
                     std::string(key) + ": found " + found_of(*node) + ", expected an array");
    }
    if (node != nullptr) {
        for (const toml::node &item : *node->as_array()) {
            list.push_back(notes.keep(text_of(item, key)));
        }
    }
    list.push_back(nullptr);
    notes.lists.push_back(list);
    return notes.lists.back().data();
}

// NAME, NAME + N or NAME - N.
uint64_t parameter_of(const notes &notes, const toml::node &node)
{
    const std::string text = text_of(node, "passes");
    char name[65] = "";
    char sign = '+';
    unsigned change = 0U;
    const int count = std::sscanf(text.c_str(), "%64[A-Za-z0-9_.] %c %u", name, &sign, &change);
    const auto given = notes.set.find(name);
    const auto known = notes.parameters.find(name);
    if (((count != 1) && (count != 3)) || ((sign != '+') && (sign != '-')) ||
        ((given == notes.set.end()) && (known == notes.parameters.end()))) {
        throw damage(node.source(),
                     "passes: found '" + text + "', expected a number or a name of [parameters]");
    }
    const uint64_t value = (given != notes.set.end()) ? given->second : known->second;
    if (sign == '+') {
        return value + change;
    }
    return (value > change) ? value - change : 1U;  // Fewer than one pass is no loop.
}

uint64_t passes_of(const notes &notes, const toml::table &table)
{
    const toml::node *const node = table.get("passes");
    if (node == nullptr) {
        throw damage(table.source(), "found a [[loop]] without 'passes', expected a number");
    }
    if (node->is_string()) {
        return parameter_of(notes, *node);
    }
    const auto number = node->value<int64_t>();
    if (!node->is_integer() || (*number < 1) || (*number > UINT32_MAX)) {
        throw damage(node->source(),
                     "passes: found " + found_of(*node) + ", expected a number from 1");
    }
    return static_cast<uint64_t>(*number);
}

void expect_keys(const toml::table &table, const char *kind, const texts_t &keys)
{
    for (const auto &[key, node] : table) {
        bool is_known = false;
        for (const char *const one : keys) {
            is_known = is_known || (key.str() == one);
        }
        if (!is_known) {
            throw damage(node.source(), "found '" + std::string(key.str()) + "' in a [[" + kind +
                                            "]], expected one of its keys");
        }
    }
}

note_t note_of(notes &notes, note_kind_t kind, const char *name, const toml::table &table,
               const char *file)
{
    note_t note{};
    note.kind = kind;
    note.file = file;
    note.line = table.source().begin.line;
    note.reason = notes.keep(required(table, name, "reason"));
    note.cases = list_of(notes, table, name, "cases", false);
    note.in = table.contains("in") ? notes.keep(required(table, name, "in")) : nullptr;
    switch (kind) {
    case NOTE_LOOP:
        expect_keys(table, name, {"at", "passes", "reason", "cases", "in"});
        note.passes = passes_of(notes, table);
        break;
    case NOTE_NEVER:
        expect_keys(table, name, {"at", "reason", "cases", "in"});
        break;
    case NOTE_APART:
        expect_keys(table, name, {"first", "second", "reason", "cases", "in"});
        note.second = notes.keep(required(table, name, "second"));
        break;
    case NOTE_INDIRECT:
        expect_keys(table, name, {"at", "calls", "reason", "cases", "in"});
        note.calls = list_of(notes, table, name, "calls", true);
        break;
    }
    note.at = notes.keep(required(table, name, (kind == NOTE_APART) ? "first" : "at"));
    return note;
}

void read_allocator(notes &notes, const toml::table &table)
{
    expect_keys(table, "allocator", {"name", "acquire", "release", "resize"});
    note_allocator_t allocator{};
    allocator.name = notes.keep(required(table, "allocator", "name"));
    allocator.functions[0] = notes.keep(required(table, "allocator", "acquire"));
    allocator.functions[1] = notes.keep(required(table, "allocator", "release"));
    if (table.contains("resize")) {
        allocator.functions[2] = notes.keep(required(table, "allocator", "resize"));
    }
    notes.allocators.push_back(allocator);
}

const toml::table &table_of(const toml::node &node, const std::string &key)
{
    if (!node.is_table()) {
        throw damage(node.source(), key + ": found " + found_of(node) + ", expected a table");
    }
    return *node.as_table();
}

void read_cases(notes &notes, const toml::table &table)
{
    for (const auto &[key, node] : table) {
        const char *const *list = list_of(notes, table, "cases", key.data(), true);
        texts_t &parts = notes.parts[std::string(key.str())];
        parts.clear();
        for (; *list != nullptr; list++) {
            parts.push_back(*list);
        }
        if (parts.empty()) {
            throw damage(node.source(), "cases: found no parts, expected at least one");
        }
    }
}

void read_parameters(notes &notes, const toml::table &table)
{
    for (const auto &[key, node] : table) {
        const auto number = node.value<int64_t>();
        if (!node.is_integer() || (*number < 1) || (*number > UINT32_MAX)) {
            throw damage(node.source(), std::string(key.str()) + ": found " + found_of(node) +
                                            ", expected a number from 1");
        }
        notes.parameters[std::string(key.str())] = static_cast<uint64_t>(*number);
    }
}

void read_defaults(notes &notes, const toml::table &table)
{
    for (const auto &[key, node] : table) {
        const auto text = node.value<std::string>();
        if (!node.is_string()) {
            throw damage(node.source(), std::string(key.str()) + ": found " + found_of(node) +
                                            ", expected the name of a case or \"\"");
        }
        notes.defaults.emplace_back(notes.keep(std::string(key.str())), notes.keep(*text));
    }
}

constexpr const char *KINDS[] = {"loop", "never", "apart", "indirect"};

// One of the arrays of tables. False if there is none of that name.
bool read_array(notes &notes, const std::string &key, const toml::node &node, const char *file)
{
    for (int kind = -1; kind < 4; kind++) {
        if (key != ((kind < 0) ? "allocator" : KINDS[kind])) {
            continue;
        }
        if (!node.is_array()) {
            throw damage(node.source(), "found [" + key + "], expected [[" + key + "]]");
        }
        for (const toml::node &item : *node.as_array()) {
            const toml::table &table = table_of(item, key);
            if (kind < 0) {
                read_allocator(notes, table);
            } else {
                notes.items.push_back(
                    note_of(notes, static_cast<note_kind_t>(kind), KINDS[kind], table, file));
            }
        }
        return true;
    }
    return false;
}

void read_all(notes &notes, const toml::table &root, const char *file)
{
    if (const toml::node *const node = root.get("parameters"); node != nullptr) {
        read_parameters(notes, table_of(*node, "parameters"));  // Before what names them.
    }
    for (const auto &[name, node] : root) {
        const std::string key(name.str());
        if (key == "cases") {
            read_cases(notes, table_of(node, key));
        } else if (key == "default") {
            read_defaults(notes, table_of(node, key));
        } else if ((key != "parameters") && !read_array(notes, key, node, file)) {
            throw damage(node.source(), "found '" + key +
                                            "', expected [cases], [default], [parameters], "
                                            "[[loop]], [[never]], [[apart]], [[indirect]] or "
                                            "[[allocator]]");
        }
    }
}

}  // namespace

notes_t *notes_new(void)
{
    return new (std::nothrow) notes;
}

void notes_free(notes_t *notes)
{
    delete notes;
}

bool notes_set(notes_t *notes, const char *name, uint64_t value)
{
    try {
        notes->set[name] = value;
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

bool notes_parse(notes_t *notes, const char *text, size_t size, const char *file, char *reason,
                 size_t reason_size)
{
    try {
        const toml::table root = toml::parse(std::string_view(text, size), std::string_view(file));
        read_all(*notes, root, notes->keep(file));
        return true;
    } catch (const toml::parse_error &error) {
        const std::string description(error.description());
        (void)std::snprintf(reason, reason_size, "%s:%u: found what is no TOML: %s", file,
                            static_cast<unsigned>(error.source().begin.line), description.c_str());
    } catch (const damage &error) {
        (void)std::snprintf(reason, reason_size, "%s:%u: %s", file,
                            static_cast<unsigned>(error.line), error.what());
    } catch (const std::exception &error) {
        (void)std::snprintf(reason, reason_size, "%s: %s", file, error.what());
    }
    return false;
}

bool notes_read(notes_t *notes, const char *path, char *reason, size_t reason_size)
{
    std::FILE *const file = std::fopen(path, "re");
    if (file == nullptr) {
        (void)std::snprintf(reason, reason_size, "%s: %s", path, std::strerror(errno));
        return false;
    }
    bool is_read = false;
    try {
        std::string text;
        char part[4096];
        size_t count = 0U;
        while ((count = std::fread(part, 1U, sizeof part, file)) != 0U) {
            text.append(part, count);
        }
        is_read = std::ferror(file) == 0;
        if (!is_read) {
            (void)std::snprintf(reason, reason_size, "%s: cannot be read", path);
        }
        is_read =
            is_read && notes_parse(notes, text.data(), text.size(), path, reason, reason_size);
    } catch (const std::exception &error) {
        (void)std::snprintf(reason, reason_size, "%s: %s", path, error.what());
    }
    (void)std::fclose(file);
    return is_read;
}

size_t notes_count(const notes_t *notes)
{
    return notes->items.size();
}

const note_t *notes_at(const notes_t *notes, size_t index)
{
    return &notes->items[index];
}

const char *notes_part(const notes_t *notes, const char *name, size_t index)
{
    const auto found = notes->parts.find(name);
    if (found == notes->parts.end()) {
        return (index == 0U) ? name : nullptr;
    }
    return (index < found->second.size()) ? found->second[index] : nullptr;
}

bool note_holds(const note_t *note, const char *part)
{
    bool holds = (note->cases[0] == nullptr);
    for (size_t i = 0U; note->cases[i] != nullptr; i++) {
        holds = holds || (std::strcmp(note->cases[i], part) == 0);
    }
    return holds;
}

const char *notes_default_case(const notes_t *notes, const char *function)
{
    for (const auto &[name, of_case] : notes->defaults) {
        if (std::strcmp(name, function) == 0) {
            return of_case;
        }
    }
    return "";
}

const char *notes_default_function(const notes_t *notes, size_t index)
{
    return (index < notes->defaults.size()) ? notes->defaults[index].first : nullptr;
}

bool notes_know_case(const notes_t *notes, const char *name)
{
    bool is_known = notes->parts.count(name) != 0U;
    for (const note_t &note : notes->items) {
        for (size_t i = 0U; note.cases[i] != nullptr; i++) {
            is_known = is_known || (std::strcmp(note.cases[i], name) == 0);
        }
    }
    return is_known;
}

const note_allocator_t *notes_allocator(const notes_t *notes, size_t index)
{
    return (index < notes->allocators.size()) ? &notes->allocators[index] : nullptr;
}
