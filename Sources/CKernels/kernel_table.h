// The kernels of an instruction set.
static const kernel_table NAME(table) = {
    NAME(split_nibbles),   NAME(split_rows),     NAME(fill_tables),       NAME(convert_fixed), NAME(convert_dynamic),
    NAME(convert_sparse),  NAME(convert_listed), NAME(convert_composed),  NAME(multiply),      NAME(multiply_gathered),
    NAME(split_signs),     NAME(count_digits),   NAME(transpose),         NAME(build_planes),  NAME(count_units),
    NAME(draw),            NAME(program_cells),  NAME(fill_analog),       NAME(analog_fixed),  NAME(analog_listed),
    NAME(multiply_panel),  NAME(interleave_rows), NAME(count_panel),      NAME(scale_sums),
    NAME(widen_panel),
};
