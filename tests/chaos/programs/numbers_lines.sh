# The same as numbers_lines.py, as a plain shell loop with a child for every pause.
name="chaos $2 $$-$(date +%s%N)"
file="$1/chaos.$2.${name##* }"
n=0
while [ "$n" -lt 3000 ]; do
    n=$((n + 1))
    echo "$name $n end"
    echo "$name $n end" >> "$file"
    sleep 0.2
done
