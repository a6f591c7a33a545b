//! Why a table cannot be read, described or drawn.

use std::path::Path;

use potluck_i18n::Reason;

potluck_i18n::reasons! { "tables":
    no_text_column(what: Reason);
    many_text_columns(what: Reason, all: usize, some: String);
    text_columns(what: Reason, all: String);
    column_of_type(name: String, kind: &str);
    no_column(name: String);
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
    old_office;
    pdf;
    png;
    jpeg;
    gif;
    riff;
    tiff;
    program;
    sqlite;
    parquet;
    arrow;
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
