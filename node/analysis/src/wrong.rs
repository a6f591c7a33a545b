//! Why a table cannot be read, described or drawn.

use std::path::Path;

use potluck_i18n::Reason;

potluck_i18n::reasons! { "tables":
    no_text_column(what: Reason);
    many_text_columns(what: Reason, all: usize, some: String);
    text_columns(what: Reason, all: String);
    column_of_type(name: String, kind: &str);
    no_column(name: String);
    many_groups(column: String, most: usize);
    no_weight(column: String, kind: &str);
    nothing_weighs(column: String);
    no_cloud_to_weigh;
    no_date_order(text: String);
    no_encoding_fits;
    same_character;
    no_encoding(name: String);
    too_much_text(limit: String);
    only_nul;
    delimiter(text: String);
    quote(text: String);
    escape(text: String);
    endless(mb: u64);
    folder(path: &Path);
    zstd_window;
    packed_damaged(why: String);
    no_table(wanted: u64, found: usize);
    no_row;
    many_fields(fields: usize, most: usize);
    one_long_line;
    too_many_rows(millions: String);
    too_many_for_memory(millions: String, memory: String);
    cloud_size(width: u32, height: u32);
    no_chart(text: String, names: String);
    no_theme(text: String);
    no_shape(text: String, names: String);
    mask_no_room;
    mask_no_picture(why: String);
    mask_large(width: u32, height: u32);
    raster_size(width: u32, height: u32);
    empty;
    no_text;
    page;
    xml;
    json;
    e_mail;
    zip;
    empty_zip;
    damaged_zip;
    binary_workbook;
    document;
    old_office;
    encrypted;
    old_feather;
    damaged(why: &str);
    bomb(size: String);
    sparse(rows: u64, columns: u64, filled: u64);
    large_part(size: String, most: String);
    many_texts(limit: String);
    too_much_in_a_row(mb: u64);
    empty_table;
    empty_book;
    empty_sheet(sheet: String);
    no_sheet(sheet: String, names: String);
    no_workbook;
    option_of_text(format: &str);
    option_of_lines(format: &str);
    pdf;
    png;
    jpeg;
    gif;
    riff;
    tiff;
    program;
    sqlite;
    seven_zip;
    rar;
    bzip2;
    xz;
    utf32;
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn every_sentence_has_its_function_and_every_function_its_sentence() {
        potluck_i18n::check::assert_said(|file| file.name == "tables", TABLE);
    }
}
